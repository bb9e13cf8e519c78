import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { installCommand, limbeckVersion, packageFolder } from '../base/process/packages.ts';
import { templateParts } from '../base/template.ts';
import { framedPage, pageAsset } from '../page/assets.ts';
import { modulesFrom } from './modules.ts';

/** Runtimes that the page runs models in, with the files of their packages by the places at which the page looks for them. */
const RUNTIMES = {
  'onnxruntime-web': {
    'ort/ort.wasm.bundle.min.mjs': 'dist/ort.wasm.bundle.min.mjs',
    'ort/ort-wasm-simd-threaded.mjs': 'dist/ort-wasm-simd-threaded.mjs',
    'ort/ort-wasm-simd-threaded.wasm': 'dist/ort-wasm-simd-threaded.wasm',
  },
  '@litertjs/core': {
    'litert/index.js': 'dist/index.js',
    'litert/wasm/litert_wasm_internal.js': 'wasm/litert_wasm_internal.js',
    'litert/wasm/litert_wasm_internal.wasm': 'wasm/litert_wasm_internal.wasm',
    'litert/wasm/litert_wasm_compat_internal.js': 'wasm/litert_wasm_compat_internal.js',
    'litert/wasm/litert_wasm_compat_internal.wasm': 'wasm/litert_wasm_compat_internal.wasm',
  },
} as const;

type RuntimeName = keyof typeof RUNTIMES;

export interface ConverterPage {
  /** Contents by address. The page itself is `index.html`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Packages of runtimes that are not installed. */
  readonly missing: readonly RuntimeName[];
}

/** All files of the page, which any server of files can serve. */
export async function converterPage(): Promise<ConverterPage> {
  const files = new Map<string, Uint8Array>();
  const names = Object.keys(RUNTIMES) as RuntimeName[];
  const missing = names.filter((name) => packageFolder(name) === undefined);
  for (const name of names.filter((one) => !missing.includes(one)))
    for (const [place, file] of Object.entries(RUNTIMES[name]))
      files.set(`app/${place}`, await readFile(path.join(packageFolder(name)!, file)));
  const litert = files.get('app/litert/index.js');
  if (litert !== undefined) {
    // The package's dependency lies in the package or beside it; browsers cannot resolve its name.
    const core = path.join(packageFolder('@litertjs/core')!, 'package.json');
    const utils = path.join(packageFolder('@litertjs/wasm-utils', core)!, 'dist/index.js');
    files.set('app/litert/wasm-utils.js', await readFile(utils));
    const text = new TextDecoder().decode(litert).replaceAll('"@litertjs/wasm-utils"', '"./wasm-utils.js"');
    files.set('app/litert/index.js', new TextEncoder().encode(text));
  }
  for (const [address, content] of await modulesFrom(ENTRIES)) files.set(`app/${address}`, content);
  for (const name of ['style.css', 'icon.svg']) {
    const { content } = (await pageAsset(`app/${name}`, 'run'))!;
    files.set(`app/${name}`, bytesOf(content));
  }
  const style = await readFile(path.join(HTML, 'convert.css'), 'utf8');
  files.set('app/style.css', bytesOf(`${new TextDecoder().decode(files.get('app/style.css'))}${style}`));
  files.set('index.html', bytesOf(await indexHtml(missing)));
  return { files, missing };
}

/** Sentence that packages are missing, with the command that installs them. */
export function missingText(missing: readonly string[]): string {
  return `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed: run ${installCommand(missing)}`;
}

/** Scripts of the page and of its worker. */
const ENTRIES = ['convert-page/browser/page.js', 'convert-page/browser/worker.js'];

const HTML = path.join(import.meta.dirname, 'html');

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

/**
 * Policy of the page, in the page itself, as a server of files sends none. The worker comes from a `blob:`, so that the policy holds for it too.
 * h5wasm holds its WebAssembly as `data:`.
 */
export const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; style-src 'self'; img-src 'self'; " +
  "connect-src 'self' data:; base-uri 'none'; form-action 'none'";

async function indexHtml(missing: readonly string[]): Promise<string> {
  const parts = templateParts(await readFile(path.join(HTML, 'convert.html'), 'utf8'));
  const lacking = missing.length === 0 ? '' : missingText(missing);
  return framedPage('convert-page/browser/page', { ...parts, POLICY, VERSION: limbeckVersion(), MISSING: lacking });
}
