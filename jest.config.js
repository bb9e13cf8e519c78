// Tests have a copy of the environment, in which src/base/process/environment.ts cannot set this for a library.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
// Tests write nothing into the user's folders.
process.env.LIMBECK_CACHE ??= 'off';

/** Tests are ES modules compiled one file at a time by swc; types are checked by `npm run typecheck`. */
const shared = {
  // Jest looks through all files below these at every start: Python environments in .venv have two hundred thousand.
  roots: ['<rootDir>/src', '<rootDir>/test'],
  // Looking these up in jest's sandbox is slow, and tfjs does it in its innermost loops; its sums take half the time so.
  // For ES modules, which jest has no such thing for, test/support/transform.cjs does the same.
  sandboxInjectedGlobals: ['Math', 'Number', 'Symbol', 'Array', 'Object', 'Float32Array', 'Int32Array', 'Uint8Array'],
  testEnvironment: './test/support/native-typed-arrays.cjs',
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/checkpoints/'],
};

const swc = (type) => ({ jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type } });

/** tfjs-core's own tests: they import its sources, so everything here shares those instead of the bundle. */
export const tfjs = {
  ...shared,
  testMatch: ['<rootDir>/test/trace/tfjs/*.long.test.ts'],
  transform: { '^.+\\.[jt]s$': ['@swc/jest', swc('commonjs')] },
  transformIgnorePatterns: ['/node_modules/(?!@tensorflow/tfjs-(core|layers|backend-cpu)/dist/)'],
  moduleNameMapper: {
    '^@tensorflow/tfjs-(core|layers|backend-cpu)$': '<rootDir>/node_modules/@tensorflow/tfjs-$1/dist/index.js',
    '^jasmine-core/.*$': '<rootDir>/test/trace/tfjs/jasmine-core.cjs',
  },
};

export default {
  testSequencer: './test/support/slowest-first.cjs',
  maxWorkers: 2,
  // Where tests are ES modules, jest keeps the modules of every file that a worker has run (a file with one import of 16 MB leaves
  // 18 MB on Node 20 and 24, also without anything of ours): 2 GB after 90 files. So workers are replaced on the way.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 240_000,
  projects: [
    {
      ...shared,
      // Registries of features are filled before anything asks them, and modules loaded that a run loads when it needs them.
      setupFiles: ['<rootDir>/src/features.ts', '<rootDir>/test/support/on-demand.ts'],
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/(browser|conformance|tensorflow|webgpu)/',
        // `npm run test:long`, `npm run test:kill`, `npm run test:recipes`, `npm run test:labels`, `npm run test:modes`, `npm run test:growth`
        // and `npm run test:docs`.
        '.long.test.ts$',
        '<rootDir>/test/(run/(kill|recipes|few-labels-whole|modes|modes-shards|growth)|docs).test.ts',
        '<rootDir>/test/trace/tfjs/',
      ],
      extensionsToTreatAsEsm: ['.ts'],
      transform: {
        '^.+\\.ts$|/node_modules/csv-parse/.+\\.js$': ['<rootDir>/test/support/transform.cjs', swc('es6')],
      },
      transformIgnorePatterns: ['/node_modules/(?!csv-parse/)'],
    },
  ],
};
