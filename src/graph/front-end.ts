/** Layer name of all ops of the front-end, which stay float in quantized files: powers of a spectrum span ten orders of magnitude. */
export const LOG_MEL = 'log-mel';

/** True for a layer of the sound front-end; in a file that is read again, each of its ops is a layer with this name as prefix. */
export function isFrontEnd(layer: string): boolean {
  return layer.split('/')[0] === LOG_MEL;
}
