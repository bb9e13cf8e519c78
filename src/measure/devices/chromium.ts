import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { InterruptedError, UserError } from '../../base/errors.ts';
import { temporaryFolder } from '../../base/folders/temporary.ts';
import type { DeviceFigures } from './device-rows.ts';
import type { Plan } from '../page/protocol.ts';
import { servePage } from './page-server.ts';
import type { TimedFile } from '../latency/variants.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/** `CHROME_PATH`, or an installed Chromium; undefined if there is none. */
export function findChromium(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const { CHROME_PATH: given } = env;
  if (given !== undefined && given !== '') return isProgram(given) ? given : undefined;
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const inPath = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return [...inPath, ...(PLACES[process.platform] ?? [])].find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Milliseconds to wait besides the time for measuring: for starting the browser, loading runtimes, and one session of each model however long it
 * takes.
 */
const PATIENCE_MS = 120_000;

export interface BrowserOptions {
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Measures in onnxruntime-web and LiteRT.js, in a headless Chromium on this machine; returns a reason if there is none. */
export async function measureInChromium(
  plan: Plan,
  files: readonly TimedFile[],
  { signal, env = process.env }: BrowserOptions = {},
): Promise<DeviceFigures> {
  const program = findChromium(env);
  if (program === undefined) {
    const { CHROME_PATH: given } = env;
    const why = given ? `CHROME_PATH is no program: ${given}` : 'no Chromium or Chrome is installed, see CHROME_PATH';
    return { rows: [], skipped: [{ what: 'browsers', why }] };
  }
  let resolve: (measured: DeviceFigures) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const posted = new Promise<DeviceFigures>((whenDone, whenFailed) => ([resolve, reject] = [whenDone, whenFailed]));
  const server = await servePage({
    plan,
    files,
    onRows: (rows, skipped) => {
      resolve({ rows, skipped });
      return Promise.resolve('done');
    },
  });
  const profile = await temporaryFolder('chromium-');
  const child = spawn(program, [...flags(profile.path), `${server.url}?auto=1`], { stdio: 'ignore' });
  const gone = new Promise<void>((done) => {
    child.once('close', () => done());
    child.once('error', () => done());
  });
  child.once('error', (error) => reject(new UserError(`${program}: ${error.message}`, 'Correct CHROME_PATH.')));
  child.once('close', (code) =>
    reject(
      new UserError(`${program} ended before it had measured (exit code ${code})`, 'Start it by hand to see why.'),
    ),
  );
  const interrupted = (): void => reject(new InterruptedError('stopped measuring latency'));
  signal?.addEventListener('abort', interrupted);
  if (signal?.aborted === true) interrupted();
  const ms = 2000 * plan.seconds + PATIENCE_MS;
  const timer = setTimeout(() => {
    reject(
      new UserError(
        `${program} has not measured within ${Math.round(ms / 1000)} s`,
        'Set CHROME_PATH to another browser.',
      ),
    );
  }, ms);
  try {
    return await posted;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { rows: [], skipped: [{ what: 'browsers', why: error.message }] };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupted);
    child.kill();
    await gone;
    await server.close();
    await profile.remove();
  }
}

function flags(profile: string): string[] {
  const quiet = ['background-networking', 'component-update', 'sync', 'quic', 'default-apps', 'extensions'];
  return [
    '--headless',
    '--no-first-run',
    `--user-data-dir=${profile}`,
    ...quiet.map((what) => `--disable-${what}`),
    // Browsers slow down a page in the background.
    '--disable-background-timer-throttling',
    '--disable-renderer-backgrounding',
    '--enable-unsafe-webgpu',
    // Chromium refuses its sandbox to root, which containers run as; the only page is our own.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
}
