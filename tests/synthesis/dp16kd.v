// SPDX-License-Identifier: Apache-2.0
// Block RAM of an ECP5, as far as Yosys uses it: both ports of the same width, port A writes, either
// reads, no reset. With HELD the enable of a port holds its output register, too.

`ifdef HELD
`define ENABLE(CE, OCE) (CE && OCE)
`else
`define ENABLE(CE, OCE) OCE
`endif

module DP16KD(
  input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8,
  input DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
  input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6,
  input ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
  input CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
  input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8,
  input DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
  input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6,
  input ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
  input CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
  output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8,
  output DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
  output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8,
  output DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL", RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC", CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter GSR = "DISABLED";
  localparam LOW = DATA_WIDTH_A == 36 ? 5 : DATA_WIDTH_A == 18 ? 4 : DATA_WIDTH_A == 9 ? 3 :
                   DATA_WIDTH_A == 4 ? 2 : DATA_WIDTH_A == 2 ? 1 : 0;
  localparam WHOLE = DATA_WIDTH_A == 36;

  reg [35:0] words [0:16383];
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7,
                     ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7,
                     ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [35:0] di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
                    DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
                    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
                    DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire clk_a = CLKA ^ (CLKAMUX == "INV"), clk_b = CLKB ^ (CLKBMUX == "INV");
  wire [3:0] lanes = DATA_WIDTH_A >= 18 ? ada[3:0] : 4'b0001;

  reg [35:0] read_a = 0, read_b = 0, kept_a = 0, kept_b = 0;
  integer n;
  initial for (n = 0; n < 16384; n = n + 1) words[n] = 0;
  always @(posedge clk_a) if ($time > 0) begin
    if (CEA) read_a <= words[ada >> LOW];
    if (CEA && WEA)
      for (n = 0; n < 4; n = n + 1)
        if (lanes[n]) words[ada >> LOW][9 * n +: 9] <= di[9 * n +: 9];
    if (`ENABLE(CEA, OCEA)) kept_a <= read_a;
  end
  always @(posedge clk_b) if ($time > 0) begin
    if (CEB) read_b <= words[adb >> LOW];
    if (`ENABLE(CEB, OCEB)) kept_b <= read_b;
  end
  wire [35:0] a = REGMODE_A == "OUTREG" ? kept_a : read_a;
  wire [35:0] b = REGMODE_B == "OUTREG" ? kept_b : read_b;
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
          DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = WHOLE ? b[17:0] : a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
          DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = WHOLE ? b[35:18] : b[17:0];
endmodule

module TRELLIS_FF(input CLK, LSR, CE, DI, M, output reg Q);
  parameter GSR = "ENABLED", CEMUX = "CE", CLKMUX = "CLK", LSRMUX = "LSR", LSRMODE = "LSR";
  parameter SRMODE = "LSR_OVER_CE", REGSET = "RESET";
  wire clk = CLK ^ (CLKMUX == "INV"), enable = CEMUX == "1" || CE;
  initial Q = REGSET == "SET";
  // A clock that is inverted has an edge before the first cycle here.
  always @(posedge clk) if ($time > 0)
    if (LSR === 1) Q <= REGSET == "SET";
    else if (enable) Q <= DI;
endmodule

module LUT4(input A, B, C, D, output Z);
  parameter INIT = 16'h0000;
  assign Z = INIT >> {D, C, B, A};
endmodule
