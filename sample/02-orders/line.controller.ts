import { Controller, Delete, HttpCode, HttpStatus, Param, Put } from '@nestjs/common';
import { Lines } from './lines.js';

/** What the button of the page does. A line has a random name, which only its page knows. */
@Controller('lines/:line/cut')
export class LineController {
  constructor(private readonly lines: Lines) {}

  @Put()
  @HttpCode(HttpStatus.NO_CONTENT)
  cut(@Param('line') line: string): void {
    this.lines.cut(line);
  }

  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  mend(@Param('line') line: string): void {
    this.lines.mend(line);
  }
}
