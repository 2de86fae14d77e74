export default {
  // Relative addresses: the built page works from any folder of a static site.
  base: './',
  build: { chunkSizeWarningLimit: 2000 },
  worker: { format: 'es' },
  // The worker's imports are found before the first request, or Vite would reload the page in the middle of a run.
  optimizeDeps: { entries: ['index.html', 'policies/worker.ts'] },
}
