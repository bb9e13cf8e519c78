import { readMessage, WireError, writeMessage } from '../../src/formats/protobuf/message.ts';
import {
  file_onnx,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
} from '../../src/formats/protobuf/onnx_pb.ts';
import { fieldsIn, fieldsOf } from '../support/proto-fields.ts';
import { Writer } from '../support/wire.ts';

describe('generated messages', () => {
  it.each([['onnx', file_onnx]])('have the fields of %s.proto: `npm run protobuf` was run', (name, file) => {
    expect(fieldsOf(file)).toEqual(fieldsIn(`src/formats/protobuf/${name}.proto`));
  });
});

describe('reading a message', () => {
  const refusal = (bytes: Uint8Array): string => {
    try {
      readMessage(ModelProtoSchema, bytes);
      return 'read';
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      return (error as Error).message;
    }
  };

  it('refuses a field whose type is another one than declared', () => {
    expect(refusal(new Writer().int(2, 7).finish())).toBe('producer_name has wire type 0 instead of 2');
    expect(refusal(new Writer().string(1, 'x').finish())).toBe('ir_version has wire type 2 instead of 0');
  });

  it('refuses a field that ends outside its message, though the bytes go on', () => {
    // A graph of two bytes, which begin a name of nine.
    const graph = Uint8Array.of((7 << 3) | 2, 2, (2 << 3) | 2, 9);
    expect(refusal(Uint8Array.of(...graph, ...new Array<number>(20).fill(0x61)))).toBe('truncated');
  });

  it('refuses a list of numbers that ends inside a number', () => {
    const tensor = (bytes: Uint8Array) => new Writer().message(7, (g) => g.message(5, (t) => t.bytes(1, bytes)));
    expect(refusal(tensor(Uint8Array.of(1, 0x80)).int(1, 8).finish())).toBe('dims is truncated');
    const floats = new Writer().message(7, (g) => g.message(5, (t) => t.bytes(4, Uint8Array.of(0, 0, 0, 0, 0))));
    expect(refusal(floats.finish())).toBe('float_data is truncated');
  });

  it('refuses texts that are not UTF-8', () => {
    expect(refusal(new Writer().bytes(2, Uint8Array.of(0xff)).finish())).toMatch(/utf-8/i);
  });

  it('takes numbers packed or one by one, and two parts of a message as one', () => {
    const one = new Writer().int(1, 2).int(1, 300).finish();
    expect(readMessage(TensorProtoSchema, one).dims).toEqual([2n, 300n]);
    const parts = [{ name: 'a' }, { node: [{ opType: 'Add' }] }].map((part) => writeMessage(GraphProtoSchema, part));
    const both = readMessage(GraphProtoSchema, Buffer.concat(parts));
    expect([both.name, both.node[0]!.opType]).toEqual(['a', 'Add']);
  });
});
