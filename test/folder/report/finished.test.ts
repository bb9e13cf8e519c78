import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exportedFile, requiredReport } from '../../../src/folder/report/finished.ts';
import { reportJson } from '../../../src/report/render/json.ts';
import { example } from '../../report/example.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

it('a model of a finished run whose file is gone is named, with what brings it back', async () => {
  await writeFile(path.join(folder(), 'report.json'), reportJson(example));
  await expect(exportedFile(folder())).rejects.toMatchObject({
    message: expect.stringMatching(/distilled\.onnx: this run is finished, but the file is missing$/) as string,
    hint: expect.stringMatching(/^Remove its report\.json and run it again/) as string,
  });
  await mkdir(path.join(folder(), 'exports'));
  await writeFile(path.join(folder(), 'exports/distilled.onnx'), '');
  expect(await exportedFile(folder())).toBe(path.join(folder(), 'exports/distilled.onnx'));
});

it('a run without a report is named, with the command that finishes it', async () => {
  await expect(requiredReport('checkpoints/begun')).rejects.toMatchObject({
    ...{ message: 'checkpoints/begun: this run has no report yet', hint: 'Finish it with: limbeck resume begun' },
  });
});
