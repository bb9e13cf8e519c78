import { runInNewContext } from 'node:vm';
import { browserSample } from '../../../src/consumers/browser/page.ts';

type Listener = (event: Record<string, unknown>) => void;

/** The element that the page would show, as far as its script needs one. */
class Shown {
  readonly dataset: Record<string, string> = {};
  readonly texts: string[] = [];
  textContent = '';
  append(...parts: readonly (string | Shown)[]): void {
    this.texts.push(...parts.map((part) => (typeof part === 'string' ? part : part.textContent)));
  }
}

describe('a page of a kit', () => {
  it('says on itself why it does nothing', async () => {
    const { 'onnxruntime.html': page } = await browserSample('classes', new Set(['onnx']), 'numbers');
    const body = new Shown();
    const listeners = new Map<string, Listener>();
    const inline = /<script>([^]*?)<\/script>/.exec(page!)![1]!;
    runInNewContext(inline, {
      addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
      document: { body, createElement: () => new Shown() },
    });
    listeners.get('unhandledrejection')!({ reason: new Error('no such model') });
    listeners.get('error')!({ target: { src: 'http://x/kit.js' } });
    expect(body.texts).toEqual(['Error: no such model', 'cannot load http://x/kit.js: npm install']);
    expect(body.dataset['problem']).toBe('cannot load http://x/kit.js: npm install');
  });

  it('names the model that it runs, the first of its format where the address names none', async () => {
    const { 'kit.js': script } = await browserSample('classes', new Set(['onnx']), 'numbers');
    const source = /export (function modelOf[^]*?\n\})/.exec(script!)![1]!;
    const models = [
      { format: 'tflite', file: 'models/a.tflite' },
      { format: 'onnx', file: 'models/a.onnx' },
      { format: 'onnx', file: 'models/b.onnx' },
    ];
    const ask = (query: string, format = 'onnx') => {
      const heading = new Shown();
      const document = { querySelector: () => heading };
      const location = { href: `http://x/onnxruntime.html${query}` };
      const modelOf = runInNewContext(`${source}; modelOf;`, { models, location, document, URL, Error }) as (
        format: string,
      ) => { file: string };
      return [modelOf(format).file, heading.texts];
    };
    expect(ask('')).toEqual(['models/a.onnx', [': models/a.onnx']]);
    expect(ask('?model=models/b.onnx')).toEqual(['models/b.onnx', [': models/b.onnx']]);
    expect(() => ask('?model=models/a.tflite')).toThrow('this kit has no model models/a.tflite: see index.html');
    expect(() => ask('', 'tfjs')).toThrow('this kit has no model of the format tfjs: see index.html');
  });
});
