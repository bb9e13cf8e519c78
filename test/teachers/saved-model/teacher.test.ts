import { savedModelTeacher } from '../../../src/teachers/saved-model/teacher.ts';
import type { UserError } from '../../../src/base/errors.ts';
import { tensorFlowStatus } from '../../../src/places/tensorflow/engine.ts';
import { pictures } from '../../support/dataset.ts';

it('without the library of TensorFlow, or without the folder, a SavedModel says what to do', async () => {
  const source = { name: 'm', folder: 'no/such/model', dataset: pictures(), probe: { x: new Float32Array(32), n: 1 } };
  const settings = { layout: 'auto', outputs: 'auto', intermediate: [] } as const;
  const { message, hint } = await savedModelTeacher(source, settings).then(
    () => ({ message: 'none', hint: 'none' }),
    (error: unknown) => error as UserError,
  );
  expect(message).toMatch(
    tensorFlowStatus().usable
      ? /^no\/such\/model: TensorFlow \S+ cannot load this SavedModel: There is no saved_model.pb/
      : /^no\/such\/model: a SavedModel needs TensorFlow's library, which cannot be used: /,
  );
  expect(hint).toMatch(tensorFlowStatus().usable ? /saved_model\.pb/ : /setup:tensorflow; or convert it \(.*tf2onnx/);
});
