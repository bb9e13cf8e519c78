import { idOf } from '../../src/report/artifact.ts';
import { formsOf } from '../../src/report/forms.ts';
import { quantizeSchema } from '../../src/recipe/schema/compress.ts';

it('every file of several quantizations has an id of its own, and the stage that trained for it', () => {
  const steps = quantizeSchema.parse([
    {},
    { method: 'qat' },
    { fallback: 'qat' },
    { scheme: 'int16x8' },
    { method: 'qat' },
    { scheme: 'fp16' },
  ]);
  const model = { role: 'distilled', repeat: 0 } as const;
  const forms = formsOf(steps).filter(({ form }) => form.format === 'onnx');
  expect(forms.map(({ form, trainedIn }) => [idOf({ model, ...form }), trainedIn])).toEqual([
    ['distilled', undefined],
    ['distilled-int8', undefined],
    ['distilled-int8-qat', 'qat-2'],
    ['distilled-int8-2', undefined],
    ['distilled-int8-qat-2', 'qat-3'],
    ['distilled-int16x8', undefined],
    ['distilled-int8-qat-3', 'qat-5'],
    ['distilled-fp16', undefined],
  ]);
});
