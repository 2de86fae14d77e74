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
  // Suites that wait for servers and for processes of their own leave room for others.
  maxWorkers: '150%',
  testTimeout: 120_000,
}
