import { batches, viewOf } from '../../../src/data/batches/batches.ts';
import { ensemble } from '../../../src/distill/teachers/ensemble.ts';
import { onnxTeacher } from '../../../src/distill/teachers/onnx-teacher.ts';
import type { OnnxTeacherSettings, OnnxTeacherSource } from '../../../src/distill/teachers/onnx-teacher.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { pictures } from '../../support/dataset.ts';
import { pictureTeacher } from '../../support/onnx.ts';
import type { PictureTeacher } from '../../support/onnx.ts';
import '../../support/tasks.ts';

const DEFAULTS: OnnxTeacherSettings = { layout: 'auto', outputs: 'auto', intermediate: [] };

function source(bytes: Uint8Array): OnnxTeacherSource {
  const rows = Int32Array.from({ length: 8 }, (_, i) => i);
  const probe = { x: viewOf(pictures(), rows, { seed: 0, view: 0, augment: [] }), n: 8 };
  return { name: 'teacher.onnx', bytes, dataset: pictures(), probe, session: { executionProviders: ['cpu'] } };
}

describe('an ensemble', () => {
  it('answers with the weighted mean of logits', async () => {
    const open = (file: PictureTeacher) => onnxTeacher(source(pictureTeacher(file)), DEFAULTS);
    const [a, b] = [await open({}), await open({ order: [1, 2, 0] })];
    const [batch] = batches(pictures(), { batchSize: 4, seed: 1, epoch: 0 });
    const both = await ensemble([
      { teacher: a, weight: 3 },
      { teacher: b, weight: 1 },
    ]).answer(batch!.x, 4);
    const [one, other] = [await a.answer(batch!.x, 4), await b.answer(batch!.x, 4)];
    both.logits.forEach((value, i) => expect(value).toBeCloseTo(0.75 * one.logits[i]! + 0.25 * other.logits[i]!, 5));
  });

  it('has other answers in store for another weighting', async () => {
    const teacher = await onnxTeacher(source(pictureTeacher({})), DEFAULTS);
    const members = [1, 2].map((weight) => ({ teacher, weight }));
    const keys = [ensemble(members), ensemble([...members].reverse()), ensemble(members.slice(1))].map(
      ({ key }) => key,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is shown samples at the size of the member that sees them largest', () => {
    const sees = (...sampleShape: number[]) => ({
      teacher: { classes: 2, sampleShape } as unknown as Teacher,
      weight: 1,
    });
    const plain = { teacher: { classes: 2 } as Teacher, weight: 1 };
    expect(ensemble([sees(4, 4, 3), plain, sees(8, 8, 3), sees(6, 6, 3)]).sampleShape).toEqual([8, 8, 3]);
    expect(ensemble([plain, plain]).sampleShape).toBeUndefined();
  });

  it('of teachers of different classes is refused', async () => {
    const open = (file: PictureTeacher) =>
      onnxTeacher(source(pictureTeacher(file)), { ...DEFAULTS, outputs: 'logits' });
    const members = [await open({}), await open({ classes: 4 })].map((teacher) => ({ teacher, weight: 1 }));
    expect(() => ensemble(members)).toThrow(/answers for 3 classes, teacher\.onnx for 4/);
  });
});
