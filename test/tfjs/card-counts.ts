/** In a browser: what a graphics card is given to do and asked for, counted, whoever does it; and a card with fewer targets. */
import * as tf from "@tensorflow/tfjs-core";

export const counts = {
  /** Programs that the card has run. */
  programs: 0,
  /** Times that anything was read back from it. */
  reads: 0,
  /** Those of them that waited for it. */
  waits: 0,
};

export function startCounting(): void {
  countPrograms();
  countReads();
}

function countReads(): void {
  const owner = tf.backend() as unknown as Record<string, Run>;
  for (const name of ["read", "readSync"]) {
    const read = owner[name]!;
    owner[name] = function (...parts) {
      counts.reads++;
      if (name === "readSync") counts.waits++;
      return read.apply(this, parts);
    };
  }
}

function countPrograms(): void {
  const { gpgpu } = tf.backend() as unknown as { gpgpu?: { gl: WebGL2RenderingContext } };
  const owner = (gpgpu?.gl ?? GPUComputePassEncoder.prototype) as unknown as Record<string, Run>;
  const name = gpgpu ? "drawElements" : "dispatchWorkgroups";
  const run = owner[name]!;
  owner[name] = function (...parts) {
    counts.programs++;
    return run.apply(this, parts);
  };
}

type Run = (this: unknown, ...parts: unknown[]) => unknown;

/** Makes the card take no more than so many textures to draw into, as some do. */
export function limitTargets(most: number): void {
  const { gl } = (tf.backend() as unknown as { gpgpu: { gl: WebGL2RenderingContext } }).gpgpu;
  const { checkFramebufferStatus } = gl;
  const isAttached = (_: unknown, i: number) =>
    gl.getFramebufferAttachmentParameter(
      gl.FRAMEBUFFER,
      gl.COLOR_ATTACHMENT0 + i,
      gl.FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE,
    ) !== gl.NONE;
  gl.checkFramebufferStatus = (target) =>
    [0, 1, 2, 3, 4].filter(isAttached).length > most
      ? gl.FRAMEBUFFER_UNSUPPORTED
      : checkFramebufferStatus.call(gl, target);
}
