import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { filledTemplate, templateParts } from '../base/template.ts';
import type { Marks } from '../base/template.ts';
import { PAGE_STYLE } from './style.ts';

/** A file of the page. None of them tells anything of the server but that it is one. */
export interface Asset {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string | Uint8Array;
}

/**
 * Headers of the page: nothing is loaded from elsewhere, no script or style stands in the page, no site may frame it. `blob:` is for a
 * picture that the user has chosen, frames are for the report of a run.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; frame-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(self), microphone=(self), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** Pages of a server and of a run: their addresses, and their file in `html/` and script in `browser/`. */
const PAGES = {
  serve: { '': 'serve', api: 'api' },
  run: { '': 'run' },
} as const;

/** The file at an address without its first slash, of the page of a server or of a run; undefined if there is none. */
export async function pageAsset(place: string, of: keyof typeof PAGES): Promise<Asset | undefined> {
  const pages: Readonly<Record<string, string>> = PAGES[of];
  if (Object.hasOwn(pages, place)) return asset('html', await pageHtml(pages[place]!));
  if (!place.startsWith('app/')) return undefined;
  const name = place.slice('app/'.length);
  if (name === 'style.css') return asset('css', PAGE_STYLE);
  // Much goes in at the top, a drop comes out: a still, as distillers have it.
  if (name === 'icon.svg') return asset('svg', await htmlFile(name));
  const script = (await scripts()).get(name);
  return script && asset('js', script);
}

/** A page without its data: its script asks for the data, with the token where the server wants one. */
async function pageHtml(name: string): Promise<string> {
  return framedPage(`page/browser/${name}`, templateParts(await htmlFile(`${name}.html`)));
}

/** A page in the frame that all pages have, with the script at this address below `app/`. */
export async function framedPage(script: string, parts: Marks): Promise<string> {
  return filledTemplate(await htmlFile('frame.html'), { SCRIPT: script, ...parts });
}

function htmlFile(name: string): Promise<string> {
  return readFile(path.join(import.meta.dirname, 'html', name), 'utf8');
}

function asset(type: keyof typeof TYPES, content: string | Uint8Array): Asset {
  return { headers: { ...HEADERS, 'content-type': TYPES[type] }, content };
}

/** Folder of the compiled program. Scripts have the same places under `app/`, so that their imports find each other. */
const PROGRAM = path.join(import.meta.dirname, '..');

let read: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

/** The compiled modules, read once: browsers know no TypeScript. */
function scripts(): Promise<ReadonlyMap<string, Uint8Array>> {
  return (read ??= readScripts());
}

/** The scripts of the pages with the modules that they load. */
async function readScripts(): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const isCompiled = import.meta.filename.endsWith('.js');
  const entries = Object.values(PAGES).flatMap((pages) => Object.values(pages));
  const waiting = isCompiled ? entries.map((name) => `page/browser/${name}.js`) : [];
  for (const name of waiting) {
    const script = await readFile(path.join(PROGRAM, name));
    found.set(name, script);
    for (const [, to] of script.toString('utf8').matchAll(/(?:\bfrom|^import)\s*["'](\.[^"']+)["']/gm)) {
      const other = path.posix.join(path.posix.dirname(name), to!);
      if (!waiting.includes(other)) waiting.push(other);
    }
  }
  return found;
}
