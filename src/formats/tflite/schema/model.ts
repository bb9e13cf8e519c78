import type { Schema } from './notation.ts';
import { builtinOptions, builtinOptions2 } from './options.ts';

/** Tables of a `.tflite` file except the operators' options: TensorFlow Lite's schema 3, in the notation of notation.ts. */
const tables: Schema['tables'] = {
  CustomQuantization: 'custom:[u8]',
  BlockwiseQuantization: 'scales:i32 zeroPoints:i32 blockSize:i32 blockShape:[i32]',
  MultiAxisQuantization: 'scales:i32 zeroPoints:i32 blockSize:i32 quantizedDimensions:[i32]',
  QuantizationParameters:
    'min:[f32] max:[f32] scale:[f32] zeroPoint:[i64] details:<QuantizationDetails> quantizedDimension:i32',
  Int32Vector: 'values:[i32]',
  Uint16Vector: 'values:[u16]',
  Uint8Vector: 'values:[u8]',
  DimensionMetadata: 'format:i8 denseSize:i32 arraySegments:<SparseIndexVector> arrayIndices:<SparseIndexVector>',
  SparsityParameters: 'traversalOrder:[i32] blockMap:[i32] dimMetadata:[DimensionMetadata]',
  VariantSubType: 'shape:[i32] type:i8 hasRank:bool',
  Tensor:
    'shape:[i32] type:i8 buffer:u32 name:string quantization:QuantizationParameters isVariable:bool sparsity:SparsityParameters shapeSignature:[i32] hasRank:bool variantTensors:[VariantSubType] externalBuffer:u32',
  OperatorCode: 'deprecatedBuiltinCode:i8 customCode:string version:i32=1 builtinCode:i32',
  Operator:
    'opcodeIndex:u32 inputs:[i32] outputs:[i32] builtinOptions:<BuiltinOptions> customOptions:[u8] customOptionsFormat:i8 mutatingVariableInputs:[bool] intermediates:[i32] largeCustomOptionsOffset:u64 largeCustomOptionsSize:u64 builtinOptions2:<BuiltinOptions2> debugMetadataIndex:i32=-1',
  SubGraph: 'tensors:[Tensor] inputs:[i32] outputs:[i32] operators:[Operator] name:string debugMetadataIndex:i32=-1',
  Buffer: 'data:[u8]^16 offset:u64 size:u64',
  ExternalBufferGroup: 'name:string',
  ExternalBuffer: 'id:u32 group:u32 offset:u64 packing@4:string',
  Metadata: 'name:string buffer:u32',
  TensorMap: 'name:string tensorIndex:u32',
  SignatureDef: 'inputs:[TensorMap] outputs:[TensorMap] signatureKey:string subgraphIndex@4:u32',
  Model:
    'version:u32 operatorCodes:[OperatorCode] subgraphs:[SubGraph] description:string buffers:[Buffer] metadataBuffer:[i32] metadata:[Metadata] signatureDefs:[SignatureDef] externalBufferGroups:[ExternalBufferGroup] externalBuffers:[ExternalBuffer]',
};

/** Members in the order of their numbers, from 1. */
const unions: Schema['unions'] = {
  BuiltinOptions: Object.keys(builtinOptions),
  BuiltinOptions2: Object.keys(builtinOptions2),
  QuantizationDetails: ['CustomQuantization', 'BlockwiseQuantization', 'MultiAxisQuantization'],
  SparseIndexVector: ['Int32Vector', 'Uint16Vector', 'Uint8Vector'],
};

export const modelTableSchema: Schema = {
  root: 'Model',
  identifier: 'TFL3',
  tables: { ...tables, ...builtinOptions, ...builtinOptions2 },
  unions,
};
