import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { consoleLog, fileLog } from '../../src/base/log.ts';
import type { Log } from '../../src/base/log.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

function writeAll(log: Log): Promise<void> {
  log.write('debug', 'detail');
  log.write('info', 'epoch 1', { loss: 0.5 });
  log.write('warn', 'odd');
  log.write('error', 'wrong');
  return log.close();
}

describe('the log for people', () => {
  it.each([
    ['quiet', 'warning: odd\nwrong\n'],
    ['normal', 'epoch 1\nwarning: odd\nwrong\n'],
    ['verbose', 'detail\nepoch 1\nwarning: odd\nwrong\n'],
  ] as const)('when %s, shows the messages that matter, without fields', async (verbosity, expected) => {
    let text = '';
    await writeAll(consoleLog(verbosity, (line) => (text += line)));
    expect(text).toBe(expected);
  });
});

describe('the log for machines', () => {
  it('has one JSON object per line with time, level, message and fields, and is appended to', async () => {
    const file = path.join(folder(), 'log.jsonl');
    for (let i = 0; i < 2; i++) await writeAll(await fileLog(file));
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(8);
    expect(JSON.parse(lines[1]!)).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      level: 'info',
      message: 'epoch 1',
      loss: 0.5,
    });
  });

  it('that cannot be opened is a mistake with a remedy', async () => {
    const message = `${folder()}: cannot write it: it is a folder`;
    await expect(fileLog(folder())).rejects.toMatchObject({ name: 'UserError', message });
  });
});
