import path from 'node:path';
import { convertFile } from '../../src/ship/convert.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { inspectFile } from '../../src/tools/inspect.ts';
import { useCpu } from '../support/cpu.ts';
import { withSource } from '../support/stream-files.ts';
import { streamNet } from '../support/streams.ts';

beforeAll(useCpu);

const RECIPE = path.resolve(import.meta.dirname, '../../recipes/watch-exercises.yaml');

it('shows what a stream takes, and refuses it where whole samples go in: another export, a score', () =>
  withSource(streamNet('strides'), async ({ folder, from }) => {
    const recipe = await loadRunnable(RECIPE);
    for (const format of ['onnx', 'tflite'] as const) {
      const file = path.join(folder, `s.${format}`);
      await convertFile({ from, format, out: file, stream: true });
      const { text } = await inspectFile(file);
      expect(text).toContain('stream: {"input":"x","axis":1,"hop":2,"window":12');
      await expect(evaluateFile(file, recipe, 'test')).rejects.toThrow(`${file}: is a stream, which takes a hop`);
    }
    const stream = path.join(folder, 's.onnx');
    const again = convertFile({ from: stream, format: 'tflite', out: path.join(folder, 'again.tflite') });
    await expect(again).rejects.toThrow('is a stream, which takes a hop of a sample at a time');
  }));
