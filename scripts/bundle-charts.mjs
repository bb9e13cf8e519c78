import { copyFile, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * Before `npm pack`: ECharts' own bundle of 1 MB goes into the package, and its notices with it, so that the charts of a report need
 * no package of 68 MB. After it (`--remove`): a clone draws with the installed ECharts, whatever lies in dist.
 */
const target = path.resolve(import.meta.dirname, '../dist/report/html/echarts');
await rm(target, { recursive: true, force: true });
if (!process.argv.includes('--remove')) {
  const require = createRequire(import.meta.url);
  const echarts = path.dirname(require.resolve('echarts/package.json'));
  const zrender = path.dirname(createRequire(path.join(echarts, 'package.json')).resolve('zrender/package.json'));
  await mkdir(target, { recursive: true });
  const files = {
    // The package is of ES modules, in which a file named .js would be one.
    'echarts.cjs': path.join(echarts, 'dist/echarts.min.js'),
    'LICENSE.txt': path.join(echarts, 'LICENSE'),
    'NOTICE.txt': path.join(echarts, 'NOTICE'),
    'LICENSE-d3.txt': path.join(echarts, 'licenses/LICENSE-d3'),
    'LICENSE-zrender.txt': path.join(zrender, 'LICENSE'),
  };
  for (const [name, from] of Object.entries(files)) await copyFile(from, path.join(target, name));
}
