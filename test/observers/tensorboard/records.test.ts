import {
  crc32c,
  fileVersionRecord,
  record,
  restartRecord,
  scalarRecord,
} from '../../../src/observers/tensorboard/records.ts';
import { file_tensorboard } from '../../../src/observers/tensorboard/tensorboard_pb.ts';
import { fieldsIn, fieldsOf } from '../../support/proto-fields.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** The content of a record, whose frame is checked. */
function contentOf(data: Uint8Array): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset);
  const length = Number(view.getBigUint64(0, true));
  expect(data).toHaveLength(length + 16);
  return data.subarray(12, 12 + length);
}

describe("TensorBoard's records", () => {
  it.each([
    // RFC 3720, B.4, and the check value of the polynomial.
    ['313233343536373839', 0xe3069283],
    ['00'.repeat(32), 0x8a9136aa],
    ['ff'.repeat(32), 0x62a8ab43],
    ['', 0],
  ])('have the CRC-32C of %s', (data, expected) => {
    expect(crc32c(Buffer.from(data, 'hex'))).toBe(expected);
  });

  it('have their length and content each followed by a masked checksum', () => {
    // As TensorFlow's TFRecordWriter writes the three bytes `abc`.
    const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    const made = record(Buffer.from('abc'));
    const view = new DataView(made.buffer);
    expect(view.getUint32(8, true)).toBe(masked(crc32c(Buffer.from('0300000000000000', 'hex'))));
    expect(hex(made.subarray(12, 15))).toBe('616263');
    expect(view.getUint32(15, true)).toBe(masked(0x364b3fb7));
  });

  it('hold the messages of event.proto', () => {
    const time = '09000000000000f83f';
    expect(hex(contentOf(fileVersionRecord(1.5)))).toBe(`${time}1a0d${hex(Buffer.from('brain.Event:2'))}`);
    // Step 300 takes two bytes; status 1 is START.
    expect(hex(contentOf(restartRecord(1.5, 300)))).toBe(`${time}10ac023a020801`);
    const scalars = { loss: 0.5 };
    expect(hex(contentOf(scalarRecord({ wallTime: 1.5, step: 7, scalars })))).toBe(
      `${time}10072a0d0a0b0a04${hex(Buffer.from('loss'))}150000003f`,
    );
  });
});

it('has the fields of tensorboard.proto: `npm run protobuf` was run', () => {
  expect(fieldsOf(file_tensorboard)).toEqual(fieldsIn('src/observers/tensorboard/tensorboard.proto'));
});
