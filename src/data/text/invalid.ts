import { UserError } from '../../base/errors.ts';
import type { TextConfig } from '../config.ts';
import { isUtf8 } from '../readers/source.ts';

/** The sign that decoders put in the place of bytes that are no UTF-8. */
const SIGN = '\uFFFD';
const HALF = /\p{Surrogate}/u;

const REMEDY =
  'Save the file as UTF-8, or convert it, e.g. with `iconv -f latin1 -t utf-8`; or set `text.invalid`: `keep` reads such bytes as the sign U+FFFD, `drop` leaves the sample out.';

/**
 * Treatment of texts with bytes that are no UTF-8, or with the sign U+FFFD that an earlier program put in their place. Without `policy` the sign is
 * kept, and the bytes are refused.
 */
export class InvalidTexts {
  readonly #policy: TextConfig['invalid'];
  #count = 0;
  #firstAt = '';
  /** Error for the first sign of a file, if its bytes turn out to be no UTF-8. */
  #doubt: UserError | undefined;

  constructor(policy: TextConfig['invalid']) {
    this.#policy = policy;
  }

  /** The text to read; undefined: its sample is left out. `what`: such as `x.csv:3: column "text": the text`. */
  read(given: string | Uint8Array, what: () => string, where: () => string): string | undefined {
    const isBytes = typeof given !== 'string';
    const text = isBytes ? decoded(given) : given;
    const isSpoilt = HALF.test(text) || (isBytes && isSpoiltBy(given));
    if (!isSpoilt && !text.includes(SIGN)) return text;
    const error = (): UserError =>
      new UserError(`${what()} holds bytes that are no UTF-8, or the sign U+FFFD that such bytes become`, REMEDY);
    if (this.#policy === 'refuse' || (isSpoilt && this.#policy === undefined)) throw error();
    if (this.#count++ === 0) this.#firstAt = where();
    if (this.#policy === undefined && !isBytes) this.#doubt ??= error();
    return this.#policy === 'drop' ? undefined : text.replaceAll(new RegExp(HALF, 'gu'), SIGN);
  }

  /** Called behind the last text of a text file. `UserError` if its signs may stand for bytes that are no UTF-8. */
  async endFile(file: string): Promise<void> {
    if (this.#doubt !== undefined && !(await isUtf8(file))) throw this.#doubt;
    this.#doubt = undefined;
  }

  /** `texts`: such as `texts` or `words`. */
  notes(source: string, texts: string): readonly string[] {
    if (this.#count === 0) return [];
    const done =
      this.#policy === 'drop'
        ? 'their samples are left out'
        : 'they are read as they are; `text.invalid: drop` leaves their samples out';
    return [
      `${source}: ${this.#count} ${texts} hold the sign U+FFFD, which stands for bytes that were no UTF-8, the first at ${this.#firstAt}: ${done}`,
    ];
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function isSpoiltBy(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return false;
  } catch {
    return true;
  }
}
