/** A field of protobuf whose bytes have a length. */
export function field(number: number, body: Uint8Array): Buffer {
  const size: number[] = [];
  let left = body.length;
  for (; left > 127; left >>>= 7) size.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size, left]), body]);
}

/** A `ModelInferRequest` for a model, and its further fields. */
export function infers(model: string, ...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat([field(1, Buffer.from(model)), ...fields]);
}
