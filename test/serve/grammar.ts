import type { RandomStream } from '../../src/base/random.ts';
import { field, infers } from './wire.ts';

/**
 * Requests that are almost right: each is drawn from the grammar of the protocol, with one or two places at which something else is drawn that
 * is of the grammar of JSON or of protobuf still. So most of them come past the parser and are refused, or answered, by what handles them.
 */
export class Grammar {
  readonly #random: RandomStream;
  /** Share of the places at which something else is drawn. */
  #wrong = 0;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  /** Address, headers and body of a request over HTTP. */
  http(): {
    readonly place: string;
    readonly method: string;
    readonly body: Buffer;
    readonly headers: Record<string, string>;
  } {
    this.#wrong = this.#of([0, 0.03, 0.1, 0.3]);
    const kind = this.#of([
      'infer',
      'infer',
      'infer',
      'binary',
      'binary',
      'values',
      'text',
      'repository',
      'get',
    ] as const);
    const model = this.#or('animals', () => this.#of(['pixels', 'none', '', '..', '%00', 'a'.repeat(300)]));
    const version = this.#maybe(0.2) ? `/versions/${this.#or('1', () => this.#of(['2', '', 'x', '-1']))}` : '';
    const query = this.#or('', () => this.#of(['?top=2', '?top=0', '?top=1&top=2', '?x', '?%', '?top=999999999999']));
    const infer = `/v2/models/${model}${version}/infer${query}`;
    switch (kind) {
      case 'infer':
        return this.#sent(infer, this.#json(this.#request(false).head));
      case 'binary': {
        const { head, raw } = this.#request(true);
        const text = this.#json(head);
        const length = this.#or(String(text.length), () =>
          this.#of(['0', '1', '-1', 'x', '99999999999', String(text.length + 1)]),
        );
        return this.#sent(infer, Buffer.concat([text, raw]), { 'inference-header-content-length': length });
      }
      case 'values': {
        const headers = {
          'content-type': this.#or('application/json', () =>
            this.#of(['text/csv', 'audio/wav', 'multipart/form-data', 'x']),
          ),
        };
        const body = this.#or<unknown>({ inputs: this.#data([1 + this.#random.below(3), 4]) }, () => this.#any(3));
        return this.#sent(`/v1/${this.#of(['animals', 'pixels'])}${query}`, this.#json(body), headers);
      }
      case 'text':
        return this.#sent(`/v1/${model}`, Buffer.from(this.#text()), { 'content-type': 'text/plain' });
      case 'repository': {
        const verb = this.#of(['index', 'models/none/load', 'models/none/unload', 'models/none/other']);
        return this.#sent(`/v2/repository/${verb}${query}`, this.#json(this.#or<unknown>({}, () => this.#any(2))));
      }
      case 'get': {
        const place = this.#of([
          '/v2',
          `/v2/models/${model}${version}`,
          `/v2/models/${model}/stats`,
          `/v1/${model}`,
          '/v2/health/ready',
          '/metrics',
          '/api',
          '/x',
        ]);
        return {
          place: `${place}${query}`,
          method: this.#or('GET', () => this.#of(['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST'])),
          body: Buffer.alloc(0),
          headers: {},
        };
      }
    }
  }

  /** Bytes of a `ModelInferRequest`, most of them with the fields of one. */
  grpc(): Buffer {
    this.#wrong = this.#of([0, 0.03, 0.1, 0.3]);
    const [rows, isRaw] = [1 + this.#random.below(3), this.#maybe(0.5)];
    const typed = isRaw
      ? []
      : [
          field(
            5,
            field(
              this.#or(6, () => 1 + this.#random.below(8)),
              this.#floats(4 * rows),
            ),
          ),
        ];
    const shape = Buffer.from([
      this.#or(rows, () => this.#random.below(100)),
      this.#or(4, () => this.#random.below(100)),
    ]);
    const input = Buffer.concat([
      field(1, Buffer.from(this.#or('x', () => this.#text()))),
      field(2, Buffer.from(this.#or('FP32', () => this.#of(['INT64', 'BYTES', 'FP16', '', 'x'])))),
      field(3, shape),
      ...this.#parameters(),
      ...typed,
    ]);
    const parts = [field(5, input), ...(isRaw ? [field(7, this.#floats(4 * rows))] : [])];
    if (this.#maybe(0.3))
      parts.push(
        field(
          6,
          Buffer.concat([field(1, Buffer.from(this.#or('logits', () => this.#text()))), ...this.#parameters(2)]),
        ),
      );
    if (this.#maybe(this.#wrong)) parts.push(this.#of(parts));
    if (this.#maybe(this.#wrong)) parts.push(field(1 + this.#random.below(12), this.#noise(this.#random.below(20))));
    if (this.#maybe(this.#wrong)) parts.splice(this.#random.below(parts.length), 1);
    const message = infers(
      this.#or('animals', () => this.#text()),
      ...parts,
      ...this.#parameters(),
    );
    return this.#maybe(this.#wrong / 3) ? message.subarray(0, this.#random.below(message.length)) : message;
  }

  #request(isBinary: boolean): { head: object; raw: Buffer } {
    const rows = 1 + this.#random.below(3);
    const raw = this.#floats(4 * rows);
    const parameters = this.#or<unknown>(isBinary ? { binary_data_size: raw.length } : undefined, () => this.#any(2));
    const shape = this.#or<unknown>([rows, 4], () =>
      this.#of<unknown>([
        [4],
        [rows, 4, 1],
        [-1, 4],
        [0, 4],
        [2 ** 53, 4],
        [1e9, 4],
        [rows, 5],
        ['1', 4],
        this.#any(2),
      ]),
    );
    const input = {
      name: this.#or<unknown>('x', () => this.#any(1)),
      datatype: this.#or<unknown>('FP32', () => this.#of<unknown>(['FP16', 'INT64', 'BYTES', 'x', this.#any(1)])),
      shape,
      ...(parameters !== undefined && { parameters }),
      ...(!isBinary && { data: this.#or<unknown>(this.#data([rows, 4]), () => this.#any(4)) }),
    };
    const all = this.#or<unknown>([input], () =>
      this.#of<unknown>([[], [input, input], [input, this.#any(2)], this.#any(3)]),
    );
    const outputs = this.#maybe(0.4) && {
      outputs: [
        {
          name: this.#or<unknown>('logits', () => this.#any(1)),
          parameters: this.#or<unknown>({ classification: 2 }, () => this.#any(2)),
        },
      ],
    };
    const more = this.#maybe(0.4) && {
      parameters: this.#or<unknown>({ priority: 1, timeout: 1e9 }, () =>
        this.#of<unknown>([{ priority: 9 }, { sequence_id: 1 }, { timeout: -1 }, this.#any(2)]),
      ),
    };
    const other = this.#maybe(this.#wrong) && { [this.#text()]: this.#any(2) };
    return {
      head: { inputs: all, ...outputs, ...more, id: this.#or<unknown>('7', () => this.#any(1)), ...other },
      raw: this.#maybe(this.#wrong) ? raw.subarray(1) : raw,
    };
  }

  #sent(place: string, body: Buffer, headers: Record<string, string> = {}) {
    return { place, method: 'POST', body, headers };
  }

  #json(value: unknown): Buffer {
    const text = JSON.stringify(value) ?? 'null';
    return Buffer.from(this.#maybe(this.#wrong / 3) ? text.slice(0, this.#random.below(text.length)) : text);
  }

  /** Numbers, flat or nested; with now and then something else among them. */
  #data(shape: readonly number[]): unknown {
    const [size = 1, ...inner] = shape;
    if (inner.length > 0 && this.#maybe(0.3)) return this.#data([shape.reduce((product, one) => product * one, 1)]);
    const count = this.#or(size, () => this.#random.below(6));
    return Array.from({ length: count }, () =>
      inner.length > 0 ? this.#data(inner) : this.#or<unknown>(this.#random.uniform() - 0.5, () => this.#any(1), 0.1),
    );
  }

  #any(depth: number): unknown {
    const leaf = this.#of<unknown>([null, true, '', 'x', -1, 0, 1e308, 1.5, 2 ** 53, this.#text(), [], {}]);
    if (depth <= 1 || this.#maybe(0.4)) return leaf;
    const count = this.#random.below(4);
    if (this.#maybe(0.5)) return Array.from({ length: count }, () => this.#any(depth - 1));
    return Object.fromEntries(
      Array.from({ length: count }, () => [
        this.#of(['name', 'inputs', 'binary_data_size', 'classification', '__proto__', this.#text()]),
        this.#any(depth - 1),
      ]),
    );
  }

  #text(): string {
    return this.#of([
      '',
      'x',
      'logits',
      '\u0000',
      '\ud800',
      '🐈',
      '../../x',
      '"\\',
      'constructor',
      '__proto__',
      'a'.repeat(this.#random.below(5000)),
    ]);
  }

  #parameters(number = 4): Buffer[] {
    if (!this.#maybe(0.2)) return [];
    const key = this.#of(['priority', 'classification', 'sequence_id', 'binary_data', this.#text()]);
    const value = this.#of([
      Buffer.from([0x10, 0]),
      Buffer.from([0x10, 1]),
      Buffer.from([0x08, 1]),
      field(3, Buffer.from(this.#text())),
      Buffer.alloc(0),
    ]);
    return [field(number, Buffer.concat([field(1, Buffer.from(key)), field(2, value)]))];
  }

  #floats(count: number): Buffer {
    return Buffer.from(
      Float32Array.from({ length: this.#or(count, () => this.#random.below(20)) }, () => this.#random.uniform() - 0.5)
        .buffer,
    );
  }

  #noise(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.#random.below(256)));
  }

  #or<T>(right: T, other: () => T, share = 1): T {
    return this.#maybe(this.#wrong * share) ? other() : right;
  }

  #of<T>(choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)]!;
  }

  #maybe(share: number): boolean {
    return this.#random.uniform() < share;
  }
}
