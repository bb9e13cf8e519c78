import type { File } from '../dom.ts';
import { make, say } from '../make.ts';

/** Place where a file is chosen, or dropped; it shows the file's name. */
export function chooser(what: string, accept: string, onFile: (file: File) => void) {
  const input = make('input', { type: 'file', accept, id: 'file', class: 'file' });
  const text = make('span', {}, `Choose a ${what}, or drop one here`);
  const zone = make('label', { for: 'file', class: 'drop' }, text);
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    say(text, file.name);
    onFile(file);
  };
  input.addEventListener('change', () => take(input.files?.[0]));
  zone.addEventListener('dragover', (event) => event.preventDefault());
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files[0]);
  });
  return make('div', { class: 'chooser' }, input, zone);
}
