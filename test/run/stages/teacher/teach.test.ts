import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../../../src/base/errors.ts';
import { openAndCheck } from '../../../../src/run/stages/teacher/given-teacher.ts';
import { alone } from '../../../../src/train/processes.ts';
import { pictures } from '../../../support/dataset.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { pictureTeacher } from '../../../support/onnx.ts';
import '../../../support/tasks.ts';

const folder = temporaryFolder();

it('a run that is to stop while its teacher opens asks it nothing more', async () => {
  const onnx = path.join(folder(), 'teacher.onnx');
  await writeFile(onnx, pictureTeacher({ layout: 'nchw' }));
  const stop = new AbortController();
  const stages: string[] = [];
  const context = {
    recipe: {
      device: 'cpu',
      teacher: { onnx, outputs: 'auto', layout: 'auto', intermediate: [] },
      dataset: { augment: [] },
    },
    data: { train: pictures(), validation: pictures() },
    processes: alone,
    onEvent: (event: { type: string; stage?: string }) => {
      if (event.type === 'stage') stages.push(event.stage!);
      stop.abort();
    },
    signal: stop.signal,
  } as unknown as Parameters<typeof openAndCheck>[0];
  await expect(openAndCheck(context)).rejects.toThrow(new InterruptedError('stopped opening the teacher'));
  expect(stages).toEqual(['open teacher']);
});
