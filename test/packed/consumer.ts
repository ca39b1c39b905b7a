/**
 * A program of a TypeScript user: the whole public surface, and mistakes that the compiler must refuse. It is compiled, by old
 * and new compilers, against the installed package; nothing runs it.
 */
import * as main from "rmsprop-wasm";
import {
  type AdoptedOffsets,
  type AdoptedViews,
  type Allocate,
  type AttachOptions,
  type Backend,
  dialects,
  type ElementRange,
  type FloatArray,
  type GroupState,
  type Handle,
  type Hyperparameters,
  type NameOf,
  type NestedValues,
  type NonFinitePolicy,
  type OptimizerOptions,
  type Options,
  type ParamGroup,
  type ParamRecord,
  type Params,
  RMSprop,
  type Schedule,
  type Shape,
  type ShapedValues,
  type Shard,
  type State,
  type StateDict,
  type StepOptions,
  type TensorReport,
  type TensorSource,
  type TensorState,
} from "rmsprop-wasm";
import {
  type Bytes,
  type Chunks,
  type LeRobotFiles,
  type Loaded,
  load,
  loadChunks,
  restore,
  restoreLeRobot,
  save,
  saveChunks,
  saveLeRobot,
  writeFileAtomic,
} from "rmsprop-wasm/checkpoint";
import {
  type Core,
  type CoreHyperparameters,
  type CoreOptions,
  instantiate,
  type RowsPtr,
  type TablePtrs,
  type TensorPtrs,
} from "rmsprop-wasm/core";
import { RMSprop as JsRMSprop, OptionError } from "rmsprop-wasm/js";

const memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1 });
const allocate: Allocate = (byteLength) => byteLength;
const lr: Schedule = (step) => 1 / step;
const backend: Backend = "wasm";
const nonFinite: NonFinitePolicy = "skip";
const hyperparameters: Hyperparameters = {
  lr,
  alpha: 0.9,
  eps: 1e-7,
  epsInsideSqrt: true,
  weightDecay: 0,
  decoupledWeightDecay: true,
  momentum: 0.9,
  lrInMomentum: true,
  nesterov: true,
  centered: true,
  biasCorrection: true,
  initialSquareAvg: 0,
  clipValue: 1,
  clipNorm: 1,
  maximize: true,
  sparse: "exact",
  rowwiseState: false,
};
const ema = { decay: 0.9 };
const whole: Partial<OptimizerOptions> = { globalClipNorm: 1, ema, memory, allocate, threads: 2 };
const options: Options = { ...hyperparameters, ...whole, ...dialects.keras, backend, nonFinite };

// Names are typed from the record.
const shape: Shape = [784, 128];
const optimizer = new RMSprop({ w: shape, b: new Float32Array(128) }, options);
const view: Float32Array = optimizer.params.w;
const { grads }: { grads: Readonly<Record<"w" | "b", Float32Array>> } = optimizer;
const state: State = optimizer.state.b;
const averages: (Float32Array | undefined)[] = [state.squareAvg, state.momentumBuffer, state.gradAvg];
const report: TensorReport = optimizer.report().w;
const figures: number[] = Object.values(report);
// @ts-expect-error There is no such tensor.
optimizer.params.v;
// @ts-expect-error Nor here.
optimizer.report().v;
// @ts-expect-error A record is read, its views are written.
optimizer.grads.w = view;
// @ts-expect-error Without momentum there is no buffer, so it may be undefined.
optimizer.state.w.momentumBuffer.length;

// Over groups as well.
const group: ParamGroup = { params: { c: [1] }, weightDecay: 1e-4 };
const grouped = new RMSprop([{ params: { w: [2] }, lr: 1 }, { params: { b: [2] } }]);
grouped.groups[0].lr = lr;
const views: Float32Array[] = [grouped.ema.w, grouped.grads.b];
// @ts-expect-error A group's names are its tensors', not its own keys.
grouped.params.params;

// The rate reads as a number, and takes a schedule.
const nextRate: number = grouped.lr * grouped.groups[0].lr;
grouped.lr *= 0.99;
optimizer.groups[0].lr *= 0.99;
optimizer.lr = lr;

// Fields, arguments and dynamic names need no type arguments, generic functions index by the names that they read.
class Trainer {
  readonly optimizer: RMSprop;
  constructor(params: Record<string, number[]>) {
    this.optimizer = new RMSprop(params);
  }
}
const train = (any: RMSprop): boolean => any.step();
const trained: boolean = train(optimizer) && train(new Trainer({ w: [2] }).optimizer);
export function halve<P extends Params>(any: RMSprop<P>, names: readonly NameOf<P>[]): void {
  for (const name of names) any.grads[name].set(any.grads[name].map((value) => value / 2));
  for (const name of Object.keys(any.params) as NameOf<P>[]) any.params[name].fill(0);
}

// Tensors that lie somewhere already.
const inPlace: AdoptedViews = { param: view, grad: view };
const byOffset: AdoptedOffsets = { param: 1024, grad: 2048, count: 4 };
const floats: FloatArray = new Float64Array(4);
const nestedValues: NestedValues = [[1, 2], view];
const shapedValues: ShapedValues = { shape, values: [1, 2] };
const sources: TensorSource[] = [shape, view, inPlace, byOffset, floats, nestedValues, shapedValues];
const matrix: number[][] = [[1, 2]];
const fromValues: Readonly<Record<"a" | "b" | "c" | "d", Float32Array>> = new RMSprop({
  a: [
    [0.5, 1],
    [2, 3],
  ],
  b: { shape: [2], values: [0.5, 1] },
  c: floats,
  d: matrix,
}).params;
const record: ParamRecord = { inPlace, byOffset };
const params: Params[] = [record, [group]];
const name: NameOf<{ w: Shape }> = "w";

const shard: Shard = { index: 0, count: 2 };
const stepOptions: StepOptions = { gradScale: 0.5, zeroGrad: true, shard, gradNorm: 1 };
const applied: boolean = optimizer.step(stepOptions);
const counts: (number | undefined)[] = [optimizer.steps, optimizer.skippedSteps, optimizer.gradNorm];
const runsOn: Backend = optimizer.backend;
const lies: WebAssembly.Memory = optimizer.memory;
const swapped: boolean = optimizer.swapEma();
const { start, end }: ElementRange = optimizer.shareRanges(shard).w;
const threads: [number, Promise<void>] = [optimizer.threads, optimizer.ready];
const handle: Handle = optimizer.handle;
const attachOptions: AttachOptions = { lr };
const attached = RMSprop.attach<{ w: Shape }>(handle, attachOptions).params.w;
const dict: StateDict<"w" | "b"> = optimizer.stateDict();
const { shape: saved, momentumBuffer: buffer }: TensorState = dict.tensors.w;
const groupState: GroupState = { params: ["w", "b"], lr: 1 };
optimizer.loadStateDict({ ...dict, groups: [groupState] });
// @ts-expect-error Of other tensors.
optimizer.loadStateDict(new RMSprop({ c: [1] }).stateDict());
optimizer.zeroGrad();
optimizer.dispose();
{
  using inScope = new RMSprop({ w: [2] });
  inScope.step();
}

// @ts-expect-error An option is misspelt.
new RMSprop({ w: [2] }, { learningRate: 1 });
// @ts-expect-error A number as text.
new RMSprop({ w: [2] }, { lr: "1e-3" });
// @ts-expect-error Nor in a group.
new RMSprop([{ params: { w: [2] }, lr: "1e-3" }]);
// @ts-expect-error Whole numbers.
new RMSprop({ w: new Int32Array(2) });
// @ts-expect-error Values lack their shape.
new RMSprop({ w: { values: [1, 2] } });
// @ts-expect-error Both views are needed.
new RMSprop({ w: { param: view } }, { memory });
// @ts-expect-error A hyperparameter is no option of a step.
optimizer.step({ lr: 1 });
// @ts-expect-error Dialects are data to spread, not to change.
dialects.keras.lr = 1;

// Either entry's optimizer will do where the other's is asked for.
const js: main.RMSprop<{ w: [2] }> = new JsRMSprop({ w: [2] }, { lr: dialects.pytorch.lr });
const wasm: JsRMSprop<{ w: [2] }> = new RMSprop({ w: [2] });
const errors: (typeof main.RMSpropError)[] = [
  OptionError,
  main.ParameterError,
  main.MemoryError,
  main.StaleViewError,
  main.NonFiniteError,
  main.SwappedError,
  main.BackendError,
  main.DisposedError,
  main.CheckpointError,
];
const damage = ({ byteOffset, byteLength }: main.ThreadError): number => byteOffset + byteLength;
const text: string = new OptionError("", { cause: 1 }).name;

// Checkpoints take either entry's optimizers.
const bytes: Bytes = save(optimizer);
const blob = new Blob([bytes]);
const chunks: Chunks = saveChunks(js);
const loaded: Loaded<"w"> = load<"w">(bytes, { lr });
const streamed: Promise<Float32Array> = loadChunks<"w">(chunks, { threads: 2 }).then(
  ({ params }) => params.w,
);
restore(grouped, bytes.buffer);
const files: LeRobotFiles = saveLeRobot(loaded);
restoreLeRobot(loaded, files);
const written: Promise<void> = writeFileAtomic("run.safetensors", chunks);
// @ts-expect-error Nothing but what the file is said to have.
loaded.params.v;
// @ts-expect-error A path isn't a file's bytes.
load("run.safetensors");

const core: Core = instantiate(memory);
const tensor: TensorPtrs = { ...byOffset, squareAvg: 3072, momentumBuffer: 4096, gradAvg: 5120 };
const rate: Partial<CoreHyperparameters> = { lr: 1 };
const coreOptions: CoreOptions = { ...rate, step: 3, gradScale: 1, zeroGrad: true };
core.update(tensor, coreOptions);
const table: TablePtrs = { ...tensor, width: 2 };
const rowsPtr: RowsPtr = { ptr: 512, count: 1 };
core.updateRows(table, rowsPtr, coreOptions);
const norm: number = Math.sqrt(core.sumOfSquares({ grad: 2048, count: 4 }));
// @ts-expect-error State that the caller must have placed.
core.update(byOffset);
// @ts-expect-error What needs an optimizer.
core.update(tensor, { clipNorm: 1 });

export const read = [applied, averages, counts, errors, figures, grads, js, lies, name, norm, params, runsOn];
export const saves = [blob, buffer, saved, streamed, written];
export const more = [
  nextRate,
  trained,
  sources,
  fromValues,
  swapped,
  text,
  views,
  wasm,
  start,
  end,
  threads,
  attached,
  damage,
];
