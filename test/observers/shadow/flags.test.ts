import { inProcess } from '../../support/in-process.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

it.each([
  [['--shadow', 'b.onnx', '--share', '2'], '--share: expected a share above 0, at most 1, received 2\n'],
  [['--shadow', 'b.onnx', '--keep-most', '0'], '--keep-most: expected MiB > 0, received 0\n'],
  [['--keep', 'kept'], 'serve: --keep without --shadow\n'],
])('limbeck serve %j is refused', async (args, message) => {
  const { code, stderr } = await inProcess(folder(), 'serve', 'a.onnx', '--port', '0', ...args);
  expect(stderr.startsWith(message)).toBe(true);
  expect(code).toBe(1);
});
