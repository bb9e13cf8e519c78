import type { Log } from '../../src/base/log.ts';
import { canKeepMetrics, NO_METRICS } from '../../src/serve/metrics.ts';

it('without prom-client a server keeps no metrics, and says how to install it', async () => {
  const lines: string[] = [];
  const log: Log = { write: (level, message) => lines.push(`${level}: ${message}`), close: () => Promise.resolve() };
  expect(canKeepMetrics(log, '/a-folder-without-packages/server.js')).toBe(false);
  expect(lines).toEqual([
    expect.stringMatching(/^warn: no metrics: prom-client is not installed\. Run: npm install .*prom-client@\d/),
  ]);
  await expect(NO_METRICS.text()).rejects.toMatchObject({ status: 404, message: expect.stringContaining('prom-client') as string }); // prettier-ignore
  expect(canKeepMetrics(log)).toBe(true);
  expect(lines).toHaveLength(1);
});
