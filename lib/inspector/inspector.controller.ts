import {
  Controller,
  Get,
  Req,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { readAssets } from './assets.js';
import { renderPage } from './render-page.js';

/** Nothing but what stands beside the page, no frame around it, and no copy of it anywhere. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

const OK = 200;

type Guard = Type<CanActivate> | CanActivate;

/**
 * Serves the page. A class for each path: Nest reads it from the decorator.
 *
 * @param socket - the path of its gateway, without the prefix that routes may have
 */
export function inspectorController(path: string, socket: string, guards: readonly Guard[]): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class InspectorController {
    readonly #assets = readAssets();

    constructor(private readonly host: HttpAdapterHost) {}

    @Get()
    page(@Req() request: unknown, @Res() response: unknown): void {
      const url = String(this.host.httpAdapter.getRequestUrl(request));
      this.#send(response, 'text/html', renderPage(url, socket));
    }

    @Get('inspector.js')
    script(@Res() response: unknown): void {
      this.#send(response, 'text/javascript', this.#assets.script);
    }

    @Get('inspector.css')
    style(@Res() response: unknown): void {
      this.#send(response, 'text/css', this.#assets.style);
    }

    /** By hand: interceptors of an application wrap what a method returns. */
    #send(response: unknown, type: string, body: string): void {
      const { httpAdapter } = this.host;
      for (const [name, value] of Object.entries(HEADERS)) httpAdapter.setHeader(response, name, value);
      httpAdapter.setHeader(response, 'Content-Type', `${type}; charset=utf-8`);
      httpAdapter.reply(response, body, OK);
    }
  }
  return InspectorController;
}
