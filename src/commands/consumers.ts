import { Registry } from '../base/registry.ts';

/** Programs that open what `limbeck export` writes for them with `--NAME`; `kind` is their name in its text in `limbeck --help`. */
export const consumers = new Registry<{ readonly name: string; readonly kind: string }>('consumer');

/** End of a list: `, servers (--triton, --kserve) or MediaPipe (--mediapipe)`. */
export function forConsumers(): string {
  const all = consumers.all();
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const optionsOf = (kind: string) => all.filter((row) => row.kind === kind).map(({ name }) => `--${name}`);
  const parts = kinds.map((kind, i) => `${i < kinds.length - 1 ? ',' : ' or'} ${kind} (${optionsOf(kind).join(', ')})`);
  return parts.join('');
}
