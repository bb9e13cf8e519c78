import type { Described } from '../card.ts';
import { createImageBitmap } from '../dom.ts';
import type { Canvas, File } from '../dom.ts';
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
    shown.hidden = preview.element.hidden = true;
    const { question, canvas } = await readPicture(file, described, invert.isOn());
    shown.hidden = preview.element.hidden = canvas === undefined;
    if (canvas === undefined) return question;
    shown.replaceChildren(canvas);
    preview.show(canvas);
    return question;
  };
  const element = make(
    'div',
    {},
    chooser('picture', 'image/*', ([file]) => onQuestion(asQuestion((last = file!)))),
    shown,
    invert.element,
    preview.element,
  );
  return { element, stop: () => undefined };
}

/**
 * Question about the picture of a file, and the picture, of at most 1,024 pixels a side, where this browser can read it.
 * @throws where the values of the picture are needed and this browser cannot read it
 */
export async function readPicture(
  file: File,
  described: Described,
  isInverted: boolean,
): Promise<{ readonly question: Question; readonly canvas?: Canvas }> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  const isPlain = !isInverted && rangeOf(described).isBytes;
  const type = file.type || 'application/octet-stream';
  if (bitmap === undefined) {
    // The server reads formats that this browser does not.
    if (isPlain) return { question: { body: file, type } };
    throw new Error('this browser cannot read the picture');
  }
  const scale = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height));
  const canvas = canvasOf(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  );
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  if (isInverted) context.filter = 'invert(1)';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `The picture ${file.name}`);
  return { question: isPlain ? { body: file, type, picture: canvas } : await questionOf(canvas, described), canvas };
}

/** Switch for ink on paper, where the data was light on dark, or the other way round. */
export function inverting({ shape }: Described, onChange: () => void) {
  const box = make('input', { type: 'checkbox', id: 'invert', change: onChange });
  const label = make('label', { for: 'invert' }, 'Swap light and dark');
  const element = make('p', { class: 'row', hidden: shape[2] !== 1 }, box, label);
  return { element, isOn: () => box.checked };
}
