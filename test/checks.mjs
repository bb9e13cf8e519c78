import { spawn } from 'node:child_process';

/** The checks that run no code of ours. eslint takes as long as the other two together, so it has one core and they the other. */
const lanes = [['lint'], ['typecheck', 'format:check']];

function check(script) {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '-s', script], { stdio: 'inherit', shell: process.platform === 'win32' });
    child.on('close', (code) => resolve(code === 0));
  });
}

async function lane(scripts) {
  let isRight = true;
  for (const script of scripts) isRight = (await check(script)) && isRight;
  return isRight;
}

const results = await Promise.all(lanes.map(lane));
process.exitCode = results.every(Boolean) ? 0 : 1;
