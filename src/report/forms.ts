import type { Recipe } from '../recipe/schema.ts';
import { FORMATS } from './artifact.ts';
import type { Form } from './artifact.ts';

/** Method of quantization of the files of a `quantize` step, with a number if earlier steps make such files too. */
export type Reduced = Pick<Form, 'method' | 'number'>;
type Step = Recipe['quantize'][number];
type Method = 'ptq' | 'qat';

/** Only int8 can be trained for. */
function methodOf(step: Step): Method {
  return 'method' in step ? step.method : 'ptq';
}

/** The form of the files that step `number` (from 0) writes after training (`ptq`), or after one for their bits (`qat`). */
export function reducedForm(steps: readonly Step[], number: number, method: Method): Reduced {
  const { scheme } = steps[number]!;
  const before = steps
    .slice(0, number)
    .filter(
      (step) => step.scheme === scheme && (methodOf(step) === method || (method === 'qat' && step.fallback === 'qat')),
    );
  return before.length === 0 ? { method } : { method, number: before.length + 1 };
}

/** The stage in which step `number` (from 0) trains. */
export function qatStage(number: number): string {
  return `qat-${number + 1}`;
}

/** Every form that a recipe may write a model in, in the order of the run, and the stage that trains for it, if one does. */
export function formsOf(steps: readonly Step[]): { readonly form: Form; readonly trainedIn?: string }[] {
  const float = FORMATS.map((format) => ({ form: { format, precision: 'fp32' as const } }));
  const reduced = steps.flatMap((step, number) =>
    (['ptq', 'qat'] as const)
      .filter((method) => method === methodOf(step) || method === step.fallback)
      .flatMap((method) =>
        FORMATS.map((format) => ({
          form: { format, precision: step.scheme, ...reducedForm(steps, number, method) },
          ...(method === 'qat' && { trainedIn: qatStage(number) }),
        })),
      ),
  );
  return [...float, ...reduced];
}
