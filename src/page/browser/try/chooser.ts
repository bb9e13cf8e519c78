import type { File } from '../dom.ts';
import { make, say } from '../make.ts';

/** Place where a file is chosen, or dropped, or several where `isSeveral`; it shows the name of a single file. */
export function chooser(what: string, accept: string, onFiles: (files: readonly File[]) => void, isSeveral = false) {
  const input = make('input', { type: 'file', accept, id: 'file', class: 'file', multiple: isSeveral });
  const text = make('span', {}, isSeveral ? `Choose ${what}, or drop them here` : `Choose a ${what}, or drop one here`);
  const zone = make('label', { for: 'file', class: 'drop' }, text);
  const take = (given: ArrayLike<File> | null | undefined): void => {
    const files = Array.from(given ?? []).slice(0, isSeveral ? undefined : 1);
    if (files.length === 0) return;
    if (!isSeveral) say(text, files[0]!.name);
    onFiles(files);
  };
  input.addEventListener('change', () => take(input.files));
  zone.addEventListener('dragover', (event) => event.preventDefault());
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files);
  });
  return make('div', { class: 'chooser' }, input, zone);
}
