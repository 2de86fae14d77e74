/** Tests run the TypeScript sources as real ES modules; only the WASM comes from dist/. */
export default {
  testEnvironment: './test/environment.js',
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  moduleNameMapper: {
    '^#platform$': '<rootDir>/src/platform/node.ts',
    '^#commonjs$': '<rootDir>/src/platform/commonjs-node.ts',
    '^#tfjs$': '<rootDir>/src/platform/tfjs-node.ts',
    '^#threads$': '<rootDir>/src/platform/threads-node.ts',
    '^#python$': '<rootDir>/src/envs/python/task-node.ts',
    '^#workers$': '<rootDir>/src/platform/workers-node.ts',
  },
  transform: { '^.+\\.ts$': './test/transform.js' },
  testSequencer: './test/sequencer.js',
  globalTeardown: './test/left-out.js',
  // Jest would leave a core free.
  maxWorkers: '100%',
  testTimeout: 120_000,
}
