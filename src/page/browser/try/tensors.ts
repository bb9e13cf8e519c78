import type { Card, Tensor } from '../card.ts';
import { make, say } from '../make.ts';
import type { OnQuestion, Source } from './draw.ts';

/** Sizes that are left open begin with this, but for the batch. */
const OPEN = 8;

/** Any tensors at all, such as the ids of tokens: shapes and values as numbers. */
export function tensors({ inputs, batching }: Card, onQuestion: OnQuestion): Source {
  const error = make('p', { class: 'caution', role: 'alert', hidden: true });
  const forms = inputs.map((input, i) => tensorForm(input, i, batching !== 'whole'));
  const send = (): void => {
    try {
      const body = JSON.stringify({ inputs: forms.map(({ read }) => read()) });
      error.hidden = true;
      onQuestion(Promise.resolve({ body, type: 'application/json' }));
    } catch (problem) {
      error.hidden = false;
      say(error, (problem as Error).message);
    }
  };
  const button = make('button', { type: 'button', click: send }, 'Ask');
  const element = make('div', {}, ...forms.map((form) => form.element), make('div', { class: 'row' }, button), error);
  return { element, stop: () => undefined };
}

function tensorForm({ name, datatype, shape }: Tensor, place: number, isBatched: boolean) {
  const start = shape.map((size, i) => (size >= 0 ? size : i === 0 && isBatched ? 1 : OPEN));
  const sizes = make('input', { id: `shape${place}`, value: start.join(' × '), spellcheck: 'false' });
  const text = make('textarea', { id: `tensor${place}`, rows: 3, spellcheck: 'false' });
  const zero = datatype === 'BOOL' ? 'false' : '0';
  const count = start.reduce((product, size) => product * size, 1);
  text.value = count > 4096 ? zero : new Array<string>(count).fill(zero).join(', ');
  const element = make(
    'fieldset',
    { class: 'tensor' },
    make('legend', {}, `${name} ${datatype}`),
    make('label', { for: `shape${place}` }, 'shape'),
    sizes,
    make('label', { for: `tensor${place}` }, 'values in order; a single one fills all'),
    text,
  );
  const read = (): object => {
    const dims = sizes.value
      .split(/[^\d]+/)
      .filter((part) => part !== '')
      .map(Number);
    const all = dims.reduce((product, size) => product * size, 1);
    const given = text.value.split(/[\s,;]+/).filter((part) => part !== '');
    const parsed = given.map((part) => (datatype === 'BOOL' ? part === 'true' || part === '1' : Number(part)));
    if (!parsed.every((value) => typeof value === 'boolean' || Number.isFinite(value)))
      throw new Error(`${name}: expected numbers`);
    const data = parsed.length === 1 ? new Array<number | boolean>(all).fill(parsed[0]!) : parsed;
    if (data.length !== all)
      throw new Error(`${name}: a shape of ${dims.join(' × ')} has ${all} values, received ${data.length}`);
    return { name, datatype, shape: dims, data };
  };
  return { element, read };
}
