import { spawn } from 'node:child_process';

/**
 * All of `npm test` on two cores. Rules with types take as long as the checks before the tests, so they have one core and these the
 * other; the tests take both, and do not wait. What the rules find stands above their summary.
 */
const lanes = [['lint'], ['typecheck', 'format:check', 'test:unit']];

function run(script) {
  return new Promise((resolve) => {
    // `npm test -- test/cli.test.ts` runs the tests of that file alone.
    const more = script === 'test:unit' ? ['--', ...process.argv.slice(2)] : [];
    const child = spawn('npm', ['run', '-s', script, ...more], {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    child.on('close', (code) => resolve(code === 0));
  });
}

/** The scripts that failed: none or one, for the rest of its lane is not run. */
async function lane(scripts) {
  for (const script of scripts) if (!(await run(script))) return [script];
  return [];
}

const failed = (await Promise.all(lanes.map(lane))).flat();
if (failed.length > 0) console.error(`failed: ${failed.map((script) => `npm run ${script}`).join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
