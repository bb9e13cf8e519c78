import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { built } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

it('ends a process that takes too much memory in one call, after its last words, and no other', () => {
  const watchdog = pathToFileURL(path.join(built(), 'dist/base/process/watchdog.js')).href;
  const run = (times: number) => {
    const file = path.join(folder(), 'program.mjs');
    writeFileSync(
      file,
      `import { watchOver } from '${watchdog}';
       watchOver({ mostBytes: process.memoryUsage.rss() + 200 * 2 ** 20, last: 'too much\\n' });
       const held = [];
       const until = performance.now() + 300;
       // Without a turn of the event loop.
       for (let i = 0; i < ${times}; i++) held.push(Buffer.alloc(2 ** 20, 1));
       while (performance.now() < until);
       console.log(held.length);`,
    );
    return spawnSync(process.execPath, [file]);
  };
  const { signal, stderr } = run(400);
  expect([signal, String(stderr)]).toEqual(['SIGKILL', 'too much\n']);
  expect(String(run(50).stdout)).toBe('50\n');
});
