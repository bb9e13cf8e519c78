import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** CHROME_PATH, or where Debian has its Chromium; undefined where there is none. */
export const BROWSER = [process.env['CHROME_PATH'], '/usr/bin/chromium'].find(
  (file) => file !== undefined && existsSync(file),
);

/** Why tests with a browser are skipped here, for their title. */
export const NO_BROWSER = BROWSER === undefined ? ' (skipped: no Chromium; set CHROME_PATH)' : '';

export function launch(): Promise<Browser> {
  const quiet = ['background-networking', 'component-update', 'sync', 'quic'].map((part) => `--disable-${part}`);
  return chromium.launch({
    executablePath: BROWSER!,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--use-fake-device-for-media-stream', ...quiet],
    // A machine that is busy with other tests takes its time.
    timeout: 120_000,
  });
}
