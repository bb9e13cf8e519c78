import base from './jest.config.js';

/** Needs a WebGPU device, e.g. Debian's software Vulkan (mesa-vulkan-drivers): apart from `npm test`. */
export default {
  ...base.projects[0],
  testMatch: ['<rootDir>/test/webgpu/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/tasks.ts'],
};
