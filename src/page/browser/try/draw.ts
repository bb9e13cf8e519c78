import type { Described } from '../card.ts';
import type { PageEvent } from '../dom.ts';
import { canvasOf, make } from '../make.ts';
import { questionOf, seen } from './frame.ts';
import type { Question } from './frame.ts';
import { rangeOf } from './group.ts';

export interface Source {
  readonly element: ReturnType<typeof make>;
  /** Called when another source takes its place. */
  readonly stop: () => void;
}

export type OnQuestion = (question: Promise<Question> | undefined) => void;

const SIDE = 336;

/** A place to draw, with a pointer or with the arrow keys. */
export function drawing(described: Described, onQuestion: OnQuestion): Source {
  const [rows, columns] = described.shape as [number, number];
  const { isDark } = rangeOf(described);
  const [paper, ink] = isDark ? ['#000', '#fff'] : ['#fff', '#000'];
  const height = Math.round((SIDE * rows) / columns);
  const canvas = canvasOf(SIDE, height, {
    class: 'paper',
    tabindex: 0,
    role: 'application',
    'aria-roledescription': 'drawing area',
    'aria-label': 'Draw here: the arrow keys move the pen, the space bar puts it down or lifts it',
  });
  const cursor = make('span', { class: 'pen', hidden: true, 'aria-hidden': true });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const preview = seen(described);
  const width = make('input', { type: 'range', id: 'pen', min: 4, max: 60, value: Math.round((2.4 * SIDE) / columns) });
  const pen = { x: SIDE / 2, y: height / 2, isDown: false, isDrawing: false };
  let timer: ReturnType<typeof setTimeout> | undefined;

  const changed = (): void => {
    preview.show(canvas);
    // While a line is drawn, a few times a second.
    timer ??= setTimeout(() => {
      timer = undefined;
      onQuestion(questionOf(canvas, described));
    }, 120);
  };
  const clear = (): void => {
    context.fillStyle = paper;
    context.fillRect(0, 0, SIDE, height);
    preview.show(canvas);
    clearTimeout(timer);
    timer = undefined;
    onQuestion(undefined);
  };
  const lineTo = (x: number, y: number): void => {
    context.strokeStyle = ink;
    context.lineWidth = Number(width.value);
    context.lineCap = context.lineJoin = 'round';
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(x, y);
    context.stroke();
    [pen.x, pen.y] = [x, y];
    changed();
  };
  const placeOf = ({ clientX, clientY }: PageEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [((clientX - box.left) * SIDE) / box.width, ((clientY - box.top) * height) / box.height];
  };
  canvas.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    pen.isDrawing = true;
    [pen.x, pen.y] = placeOf(event);
    lineTo(pen.x, pen.y);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (pen.isDrawing) lineTo(...placeOf(event));
  });
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => (pen.isDrawing = false));
  canvas.addEventListener('keydown', (event) => {
    const step = SIDE / columns;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [
      0, 0,
    ];
    if (event.key === ' ') pen.isDown = !pen.isDown;
    else if (event.key === 'Escape' || event.key === 'Delete') clear();
    else if (dx === 0 && dy === 0) return;
    event.preventDefault();
    const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
    const to = [within(pen.x + dx! * step, SIDE), within(pen.y + dy! * step, height)] as const;
    if (pen.isDown) lineTo(...to);
    else [pen.x, pen.y] = to;
    cursor.hidden = false;
    cursor.style.setProperty('left', `${(100 * pen.x) / SIDE}%`);
    cursor.style.setProperty('top', `${(100 * pen.y) / height}%`);
    cursor.className = pen.isDown ? 'pen down' : 'pen';
  });
  canvas.addEventListener('blur', () => (cursor.hidden = true));
  const button = make('button', { type: 'button', click: clear }, 'Clear');
  const element = make(
    'div',
    {},
    make('div', { class: 'board' }, canvas, cursor),
    make('div', { class: 'row tools' }, button, make('label', { for: 'pen' }, 'pen'), width),
    preview.element,
  );
  clear();
  return { element, stop: () => clearTimeout(timer) };
}
