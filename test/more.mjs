import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/** Tests that `npm test` leaves out, or runs a few times only: `npm run test:kill -- --kills 50`, `npm run test:mutated -- --times 1000`, `npm run test:malformed`, `npm run test:drift`, `npm run test:soak -- --seconds 60`. */
const TESTS = {
  kill: {
    ...{ file: 'test/run/kill.test.ts', variable: 'LIMBECK_KILLS', option: 'kills', usual: '8' },
    config: ['--config', 'jest.long.config.js'],
  },
  mutated: {
    ...{ file: 'test/mutated/mutated.long.test.ts', variable: 'LIMBECK_MUTATIONS', option: 'times', usual: '300' },
    config: ['--config', 'jest.long.config.js'],
  },
  malformed: { file: 'test/serve/malformed.test.ts', variable: 'LIMBECK_REQUESTS', option: 'times', usual: '100000' },
  drift: { file: 'test/serve/drift.test.ts', variable: 'LIMBECK_DRIFT', option: 'samples', usual: '10000' },
  soak: {
    ...{
      file: 'test/conformance/serve-soak.test.ts',
      variable: 'LIMBECK_SOAK_SECONDS',
      option: 'seconds',
      usual: '600',
    },
    config: ['--config', 'jest.conformance.config.js'],
  },
};

const { file, variable, option, usual, config = [] } = TESTS[process.argv[2]];
const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { [option]: { type: 'string', default: usual } },
});
const times = values[option];
if (!/^[1-9]\d*$/.test(times)) throw new Error(`--${option}: expected a whole number > 0, received ${times}`);
const jest = spawn('npm', ['run', '-s', 'test:unit', '--', ...config, file], {
  ...{ stdio: 'inherit', shell: process.platform === 'win32' },
  env: { ...process.env, [variable]: times },
});
jest.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
