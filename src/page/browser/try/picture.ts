import type { Described } from '../card.ts';
import { createImageBitmap } from '../dom.ts';
import type { File } from '../dom.ts';
import { canvasOf, make } from '../make.ts';
import { chooser } from './chooser.ts';
import type { OnQuestion, Source } from './draw.ts';
import { questionOf, seen } from './frame.ts';
import type { Question } from './frame.ts';
import { rangeOf } from './group.ts';

/** A picture from a file: chosen, dropped, or taken by a phone, whose browsers offer that. */
export function pictureFile(described: Described, onQuestion: OnQuestion): Source {
  const preview = seen(described);
  const shown = make('div', { class: 'shown', hidden: true });
  const invert = inverting(described, () => last !== undefined && onQuestion(asQuestion(last)));
  let last: File | undefined;
  preview.element.hidden = true;

  const asQuestion = async (file: File): Promise<Question> => {
    const bitmap = await createImageBitmap(file).catch(() => undefined);
    shown.hidden = preview.element.hidden = bitmap === undefined;
    const isPlain = !invert.isOn() && rangeOf(described).isBytes;
    if (bitmap === undefined) {
      // The server reads formats that this browser does not.
      if (isPlain) return { body: file, type: file.type || 'application/octet-stream' };
      throw new Error('this browser cannot read the picture');
    }
    const scale = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height));
    const canvas = canvasOf(
      Math.max(1, Math.round(bitmap.width * scale)),
      Math.max(1, Math.round(bitmap.height * scale)),
    );
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.imageSmoothingQuality = 'high';
    if (invert.isOn()) context.filter = 'invert(1)';
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `The picture ${file.name}`);
    shown.replaceChildren(canvas);
    preview.show(canvas);
    return isPlain
      ? { body: file, type: file.type || 'application/octet-stream', picture: canvas }
      : questionOf(canvas, described);
  };
  const element = make(
    'div',
    {},
    chooser('picture', 'image/*', (file) => onQuestion(asQuestion((last = file)))),
    shown,
    invert.element,
    preview.element,
  );
  return { element, stop: () => undefined };
}

/** Switch for ink on paper, where the data was light on dark, or the other way round. */
export function inverting({ shape }: Described, onChange: () => void) {
  const box = make('input', { type: 'checkbox', id: 'invert', change: onChange });
  const label = make('label', { for: 'invert' }, 'Swap light and dark');
  const element = make('p', { class: 'row', hidden: shape[2] !== 1 }, box, label);
  return { element, isOn: () => box.checked };
}
