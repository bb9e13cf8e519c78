export function number(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Percentage for the axes of charts. */
export function shortPercent(fraction: number): string {
  return `${Number((100 * fraction).toFixed(2))} %`;
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

/** Size of a file as text; 0 bytes stand for one that was not written. */
export function fileSize(bytes: number): string {
  return bytes === 0 ? '–' : size(bytes);
}

export function milliseconds(value: number): string {
  // Of a difference that is zero but for rounding nothing is left, and no minus.
  if (Math.abs(value) < 5e-5) return '0';
  if (value < 0.1) return `${(1000 * value).toFixed(1)} µs`;
  if (value < 1) return `${value.toFixed(3)} ms`;
  return value < 100 ? `${value.toFixed(value < 10 ? 2 : 1)} ms` : `${number(value)} ms`;
}

/** Ratio as people say it: 15, 2.4. */
export function times(ratio: number): string {
  return ratio >= 9.95 ? number(ratio) : ratio.toFixed(1).replace(/\.0$/, '');
}

/** `15× smaller`; undefined where the figures would say `1×`. */
export function compared(ratio: number, more: string, less: string): string | undefined {
  if (times(ratio) === '1' || times(1 / ratio) === '1') return undefined;
  return ratio > 1 ? `${times(ratio)}× ${more}` : `${times(1 / ratio)}× ${less}`;
}

export function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Three digits, for the axes of charts. */
export function short(value: number): string {
  if (value < 1e4) return number(value);
  return value < 1e6 ? `${Number((value / 1e3).toPrecision(3))} k` : `${Number((value / 1e6).toPrecision(3))} M`;
}

export function capital(text: string): string {
  // Abbreviations such as mAP keep their spelling.
  if (/^[a-z][A-Z]/.test(text)) return text;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
