// Serves this kit:  npm install && node serve.mjs [port]
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
/** Undefined for what is no address of a file here. */
function fileOf(url) {
  try {
    const pathname = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = path.join(root, pathname.endsWith('/') ? pathname + 'index.html' : pathname);
    return file.startsWith(root) ? file : undefined;
  } catch {
    return undefined;
  }
}

const server = createServer(async (request, response) => {
  const file = fileOf(request.url);
  const content = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  response.writeHead(content === undefined ? 404 : 200, {
    'Content-Type': types[path.extname(file ?? '')] ?? 'application/octet-stream',
  });
  response.end(content);
});
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log('http://127.0.0.1:' + server.address().port + '/samples/browser/');
});
