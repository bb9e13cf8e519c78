export { decodeModel, missingFile, namesOfEnds } from './protobuf/decode.ts';
export { encodeModel, MOST_ONNX_BYTES } from './protobuf/encode.ts';
