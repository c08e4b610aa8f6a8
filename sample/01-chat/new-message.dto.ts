import { IsString, Length } from 'class-validator';
import { Trim } from './trim.decorator.js';

export class NewMessage {
  @IsString()
  readonly room: string = '';

  @Trim()
  @Length(1, 2_000)
  readonly text: string = '';
}
