/**
 * Several outputs of one draw on tf.js's webgl backend, which by itself draws into one texture. While such a program runs,
 * two functions of the backend are replaced: the one that gets compiled programs, since the text needs a change that no
 * option makes, and the one that draws, which takes a framebuffer with more textures. A draw that is compiled and bound
 * here from start to end was rejected: it would repeat how tf.js uploads, packs and samples inputs, in each version.
 */
import { type DataId, type TensorInfo, util } from "@tensorflow/tfjs-core";

/** The internals of tf.js 4's webgl backend that this file uses. tf.js documents none of them. */
export interface TargetBackend {
  readonly gpgpu: {
    readonly gl: WebGL2RenderingContext;
    readonly framebuffer: WebGLFramebuffer;
    /** The compiled program in use, and the texture that it draws into. */
    readonly program: WebGLProgram | null;
    readonly outputTexture: WebGLTexture | null;
    executeProgram(): void;
  };
  readonly texData: { get(dataId: DataId): TextureData };
  makeTensorInfo(shape: number[], dtype: string): TensorInfo;
  /** Gives a tensor its texture. */
  uploadToGPU(dataId: DataId): void;
  disposeIntermediateTensorInfo(info: TensorInfo): void;
  /** Gets a program by a key that ends with its text. */
  getAndSaveBinary(key: string, compile: () => Binary): Binary;
}

interface TextureData {
  isPacked: boolean;
  readonly texture: { readonly texture: WebGLTexture };
}

interface Binary {
  readonly webGLProgram: WebGLProgram;
}

export interface Targets {
  /** The most outputs of one draw. */
  readonly most: number;
  /** Gives the outputs of a program with `count` of them, at least two. `draw` has tf.js run it, and gives the first. */
  drawInto(count: number, shape: number[], isPacked: boolean, draw: () => TensorInfo): TensorInfo[];
}

/** As many as any update has: one more than every WebGL 2 has at least. */
const MOST = 5;
/** The declaration by tf.js of its one output, which has to say its place as soon as there are others. */
const FIRST = "out vec4 outputColor;";

/** Declares a further output in a program's text, as `target1` and so on. */
export function declareTarget(index: number): string {
  return `layout(location = ${index}) out vec4 target${index};`;
}

const MARK = /* @__PURE__ */ declareTarget(1);

/** Tries how many textures a draw can have: some cards have too little room for four of float32. */
export function openTargets(backend: TargetBackend): Targets {
  const { gpgpu } = backend;
  const framebuffers = new Map<number, WebGLFramebuffer>();

  function bind(textures: readonly (WebGLTexture | null)[]): void {
    const { gl } = gpgpu;
    const places = textures.map((_, i) => gl.COLOR_ATTACHMENT0 + i);
    const known = framebuffers.get(textures.length);
    const framebuffer = known ?? gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    if (!known) {
      framebuffers.set(textures.length, framebuffer);
      gl.drawBuffers(places);
    }
    textures.forEach((texture, i) => {
      gl.framebufferTexture2D(gl.FRAMEBUFFER, places[i]!, gl.TEXTURE_2D, texture, 0);
    });
  }

  function bindBack(): void {
    gpgpu.gl.bindFramebuffer(gpgpu.gl.FRAMEBUFFER, gpgpu.framebuffer);
  }

  function isComplete(count: number): boolean {
    const { gl } = gpgpu;
    if (count > gl.getParameter(gl.MAX_DRAW_BUFFERS)) return false;
    const outputs = outputsOf(backend, count, [1], true);
    bind(outputs.map((output) => textureOf(backend, output)));
    const status = gl.checkFramebufferStatus(gl.FRAMEBUFFER);
    bindBack();
    for (const output of outputs) backend.disposeIntermediateTensorInfo(output);
    return status === gl.FRAMEBUFFER_COMPLETE;
  }

  return {
    most: isFit(backend) ? ([MOST, 4, 3, 2].find(isComplete) ?? 1) : 1,

    drawInto(count, shape, isPacked, draw) {
      const others = outputsOf(backend, count - 1, shape, isPacked);
      const { getAndSaveBinary } = backend;
      const { executeProgram } = gpgpu;
      let program: WebGLProgram | undefined;
      // Both pass on the programs that only prepare an input, which tf.js may run in between.
      backend.getAndSaveBinary = (key, compile) => {
        const isThis = key.includes(MARK);
        const binary = getAndSaveBinary.call(
          backend,
          key,
          isThis ? () => compilePlaced(gpgpu.gl, compile) : compile,
        );
        if (isThis) program = binary.webGLProgram;
        return binary;
      };
      gpgpu.executeProgram = () => {
        const isThis = program !== undefined && gpgpu.program === program;
        if (isThis) bind([gpgpu.outputTexture, ...others.map((output) => textureOf(backend, output))]);
        executeProgram.call(gpgpu);
        if (isThis) bindBack();
      };
      try {
        return [draw(), ...others];
      } finally {
        // Assigned, not deleted: an object that has lost a property is slower from then on.
        backend.getAndSaveBinary = getAndSaveBinary;
        gpgpu.executeProgram = executeProgram;
      }
    },
  };
}

function isFit(backend: TargetBackend): boolean {
  const { gpgpu, texData, makeTensorInfo, uploadToGPU, getAndSaveBinary } = backend;
  const parts = [
    gpgpu?.executeProgram,
    gpgpu?.gl?.drawBuffers,
    makeTensorInfo,
    uploadToGPU,
    getAndSaveBinary,
  ];
  return parts.every(util.isFunction) && texData !== undefined;
}

/** Makes tensors with textures of their own, to be drawn into. */
function outputsOf(backend: TargetBackend, count: number, shape: number[], isPacked: boolean): TensorInfo[] {
  return Array.from({ length: count }, () => {
    const output = backend.makeTensorInfo(shape, "float32");
    backend.texData.get(output.dataId).isPacked = isPacked;
    backend.uploadToGPU(output.dataId);
    return output;
  });
}

function textureOf(backend: TargetBackend, { dataId }: TensorInfo): WebGLTexture {
  return backend.texData.get(dataId).texture.texture;
}

/** Compiles a program whose first output says its place. */
function compilePlaced(gl: WebGL2RenderingContext, compile: () => Binary): Binary {
  const { shaderSource } = gl;
  gl.shaderSource = (shader, source) =>
    shaderSource.call(gl, shader, source.replace(FIRST, `layout(location = 0) ${FIRST}`));
  try {
    return compile();
  } finally {
    gl.shaderSource = shaderSource;
  }
}
