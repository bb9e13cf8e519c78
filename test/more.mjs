import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/**
 * Tests that `npm test` leaves out, or runs a few times only: `npm run test:kill -- --kills 50`, `npm run test:mutated -- --times 1000`, `npm run test:malformed`, `npm run test:drift`,
 * `npm run test:soak -- --seconds 60`; all of `npm run test:long`, or those of `npm run test:long -- test/serve/attacked.long.test.ts`.
 */
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
  drift: {
    ...{
      file: 'test/observers/drift/drift.long.test.ts',
      variable: 'LIMBECK_DRIFT',
      option: 'samples',
      usual: '10000',
    },
    config: ['--config', 'jest.long.config.js'],
  },
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

const LONG = ['--config', 'jest.long.config.js'];
const [kind, ...args] = process.argv.slice(2);
const { values, patterns } = kind === 'long' ? longOnes() : repeated(TESTS[kind]);
const jest = spawn('npm', ['run', '-s', 'test:unit', '--', ...patterns], {
  ...{ stdio: 'inherit', shell: process.platform === 'win32' },
  env: { ...process.env, ...values },
});
jest.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

/** Jest runs what matches any of its patterns: a path stands in place of that of all long tests, not beside it. */
function longOnes() {
  const isPath = args.length > 0 && !args[0].startsWith('-');
  return { patterns: [...LONG, ...(isPath ? [] : ['long.test']), ...args] };
}

function repeated({ file, variable, option, usual, config = [] }) {
  const { values } = parseArgs({ args, options: { [option]: { type: 'string', default: usual } } });
  const times = values[option];
  if (!/^[1-9]\d*$/.test(times)) throw new Error(`--${option}: expected a whole number > 0, received ${times}`);
  return { values: { [variable]: times }, patterns: [...config, file] };
}
