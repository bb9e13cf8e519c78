import base from './jest.config.js';

// libtensorflow reads these of the process, which jest shows its tests a copy of. They compare it on the CPU.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
process.env.CUDA_VISIBLE_DEVICES = '-1';

/** Needs the engine tensorflow (npm run setup:tensorflow): apart from `npm test`. */
export default {
  ...base.projects[0],
  testTimeout: base.testTimeout,
  testMatch: ['<rootDir>/test/tensorflow/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/tasks.ts'],
};
