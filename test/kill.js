import { spawn } from 'node:child_process';

// npm run test:kill -- --kills 50
const at = process.argv.indexOf('--kills');
const kills = at < 0 ? '8' : (process.argv[at + 1] ?? '');
if (!/^[1-9]\d*$/.test(kills)) throw new Error(`--kills: expected a whole number > 0, received ${kills}`);
const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const jest = spawn(process.execPath, [...args, 'test/pipeline/kill.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, LIMBECK_KILLS: kills },
});
jest.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
