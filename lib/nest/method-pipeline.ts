import type { CanActivate, ContextType, NestInterceptor, PipeTransform } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { TURNED_AWAY, type Gate } from '../core/handler.interface.js';
import { ResultStream, isObservable } from '../core/result-stream.js';
import { ExecutionContextHost, InterceptorsConsumer } from './nest-internals.js';

/** A method of the application, as Nest calls it. */
export type Callback = (...args: unknown[]) => unknown;

/** One parameter of a method: where its value comes from and what checks it. */
export interface PipelineParam {
  readonly index: number;
  readonly extract: (args: readonly unknown[]) => unknown;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: Parameters<PipeTransform['transform']>[1];
}

export interface MethodPipelineParts {
  readonly instance: object;
  readonly callback: Callback;
  readonly contextType: ContextType;
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly NestInterceptor[];
  readonly params: readonly PipelineParam[];
  readonly paramCount: number;
  /** What is thrown when a guard says no. */
  readonly forbidden: () => Error;
  /** Whether only the last item of a stream counts. */
  readonly answersOnce: boolean;
}

/**
 * Guards, interceptors, pipes and the method, compiled once. Everything runs synchronously until
 * something returns a promise: half of a request's cost in stock Nest is promises that are not
 * needed (docs/decisions/0002-own-dispatch.md).
 */
export class MethodPipeline {
  readonly #interceptors = new InterceptorsConsumer();

  /** Copied for each call: an array that grows would have room for many. */
  readonly #noValues: readonly unknown[];

  constructor(private readonly parts: MethodPipelineParts) {
    this.#noValues = Array.from<unknown>({ length: parts.paramCount });
  }

  run(args: unknown[], gate?: Gate): unknown {
    if (this.parts.guards.length > 0) {
      const allowed = this.#guard(args, this.#context(args), 0);
      if (allowed) return allowed.then(() => this.#enter(args, gate));
    }
    return this.#enter(args, gate);
  }

  #enter(args: unknown[], gate: Gate | undefined): unknown {
    if (!gate) return this.#proceed(args);
    const enters = gate.enter();
    if (enters instanceof Promise) return enters.then((may) => (may ? this.#proceed(args) : TURNED_AWAY));
    return enters ? this.#proceed(args) : TURNED_AWAY;
  }

  #proceed(args: unknown[]): unknown {
    return this.parts.interceptors.length === 0 ? this.#invoke(args) : this.#intercept(args);
  }

  /** Nothing where all guards agreed at once, a promise where one takes its time; throws where one refuses. */
  #guard(args: unknown[], context: ExecutionContextHost, from: number): Promise<void> | undefined {
    const { guards, forbidden } = this.parts;
    for (let at = from; at < guards.length; at++) {
      const verdict = (guards[at] as CanActivate).canActivate(context);
      // As in stock Nest, anything truthy lets pass.
      if (typeof verdict !== 'object' || verdict === null) {
        if (verdict) continue;
        throw forbidden();
      }
      return settle(verdict).then((allowed) => {
        if (!allowed) throw forbidden();
        return this.#guard(args, context, at + 1);
      });
    }
    return undefined;
  }

  #intercept(args: unknown[]): Promise<unknown> {
    const { interceptors, instance, callback, contextType, answersOnce } = this.parts;
    // What an interceptor returns is a stream in any case; whether the method's answer is one shows here.
    let streams = false;
    const next = async (): Promise<unknown> => {
      const result = await this.#invoke(args);
      streams = !answersOnce && isObservable(result);
      return result;
    };
    return this.#interceptors
      .intercept([...interceptors], args, instance as never, callback as never, next as never, contextType)
      .then((result: unknown) => (isObservable(result) ? new ResultStream(result, () => streams) : result));
  }

  #invoke(args: unknown[]): unknown {
    const { instance, callback, params } = this.parts;
    const values = [...this.#noValues];
    let pending: Promise<unknown>[] | undefined;
    for (const param of params) {
      const value = resolve(param, args);
      if (!(value instanceof Promise)) values[param.index] = value;
      else (pending ??= []).push(value.then((resolved) => (values[param.index] = resolved)));
    }
    if (!pending) return toPromise(callback.apply(instance, values));
    return Promise.all(pending).then(() => callback.apply(instance, values));
  }

  #context(args: unknown[]): ExecutionContextHost {
    const { instance, callback, contextType } = this.parts;
    const context = new ExecutionContextHost(args, instance.constructor as never, callback);
    context.setType(contextType);
    return context;
  }
}

/** A guard's promise, or the last value of its Observable. */
async function settle(verdict: Promise<boolean> | Observable<boolean>): Promise<unknown> {
  const value: unknown = await verdict;
  return isObservable(value) ? new ResultStream(value, () => false).last() : value;
}

/** The value of a parameter. A failure becomes a rejection, so that no other parameter's is left alone. */
function resolve(param: PipelineParam, args: readonly unknown[]): unknown {
  try {
    const value = param.extract(args);
    if (isThenable(value)) return Promise.resolve(value).then((settled) => transform(param, settled, 0));
    return transform(param, value, 0);
  } catch (error) {
    return Promise.reject(error);
  }
}

function transform(param: PipelineParam, value: unknown, from: number): unknown {
  let result = value;
  for (let at = from; at < param.pipes.length; at++) {
    result = (param.pipes[at] as PipeTransform).transform(result, param.metadata);
    if (isThenable(result))
      return Promise.resolve(result).then((settled) => transform(param, settled, at + 1));
  }
  return result;
}

/** Query builders and the like can be awaited but are no promises; everything downstream asks for promises. */
function toPromise(value: unknown): unknown {
  return isThenable(value) && !(value instanceof Promise) ? Promise.resolve(value) : value;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
