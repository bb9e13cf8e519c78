import { document } from './dom.ts';
import type { Canvas, Element, Node, PageEvent, Video } from './dom.ts';

type Child = Node | string | undefined;

/** Attributes; an attribute that is `false` or undefined is left out, a function listens to the event of that name. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: PageEvent) => void)>>;

interface Tags {
  readonly canvas: Canvas;
  readonly video: Video;
}

export function make<Tag extends string>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): Tag extends keyof Tags ? Tags[Tag] : Element {
  const element = filled(document.createElement(tag), attributes, children);
  return element as Tag extends keyof Tags ? Tags[Tag] : Element;
}

export function canvasOf(width: number, height: number, attributes: Attributes = {}): Canvas {
  return make('canvas', { width, height, ...attributes });
}

export function svg(tag: string, attributes: Attributes = {}, ...children: Child[]): Element {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled(element: Element, attributes: Attributes, children: readonly Child[]): Element {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

export function byId(id: string): Element {
  return document.getElementById(id)!;
}

/** Replaces the content of an element unless it is equal: a screen reader may read aloud a text that is set again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A group of radio buttons; `onChange` receives the index of the chosen button. */
export function choice(
  legend: string,
  options: readonly string[],
  chosen: number,
  onChange: (place: number) => void,
): Element {
  const group = `choice${++groups}`;
  const buttons = options.map((text, place) => {
    const id = `${group}-${place}`;
    const radio = make('input', { type: 'radio', name: group, id, checked: place === chosen });
    radio.addEventListener('change', () => onChange(place));
    return make('span', { class: 'choice' }, radio, make('label', { for: id }, text));
  });
  return make('fieldset', {}, make('legend', {}, legend), ...buttons);
}

let groups = 0;

/** The marks of a model wherever it is shown, by its place: colour, dashes and shape. */
export function colourOf(kind: number): string {
  return `var(--s${[2, 1, 3, 4, 5, 0][kind % 6]!})`;
}

export function dashOf(kind: number): string | undefined {
  return [undefined, '7 4', '2 3', '9 3 2 3'][kind % 4];
}

export function lineKey(kind: number): Element {
  const line = { d: 'M0 6.5H24', stroke: colourOf(kind), 'stroke-width': 2.4, 'stroke-dasharray': dashOf(kind) };
  return svg(
    'svg',
    { class: 'key', width: 24, height: 13, viewBox: '0 0 24 13', 'aria-hidden': true },
    svg('path', line),
  );
}
