(module
 (type $0 (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 v128 v128 v128 v128)))
 (type $1 (func (param i32 i32)))
 (type $2 (func (param i32 f64 i32)))
 (type $3 (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32)))
 (type $4 (func (param i32 f64 i32 f64 i32 f64 i32)))
 (type $5 (func (param i32 i32 f64) (result f64)))
 (type $6 (func (param i32 i32 i32 f32)))
 (type $7 (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 f64 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32) (result i32)))
 (type $8 (func (param i32 i32 i32 i32 i32 i32 i32 v128 v128 v128)))
 (type $9 (func (param i32 i32 i32 f32 f32) (result f64)))
 (import "env" "memory" (memory $0 0))
 (export "sumOfSquares" (func $assembly/gradient/sumOfSquares))
 (export "innerProduct" (func $assembly/learned/innerProduct))
 (export "updateRows" (func $assembly/rows/updateRows))
 (export "update" (func $assembly/update/update))
 (func $assembly/behind/flushPlane (param $0 i32) (param $1 i32)
  (local $2 i32)
  (local $3 i32)
  (local $4 v128)
  (local $5 v128)
  local.get $0
  local.set $2
  local.get $1
  local.set $3
  local.get $1
  i32.const 8
  i32.ge_u
  if
   loop $do-loop|0
    local.get $2
    v128.load offset=16
    local.set $4
    local.get $2
    local.get $2
    v128.load
    local.tee $5
    local.get $5
    f32x4.abs
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    v128.store
    local.get $2
    local.get $4
    local.get $4
    f32x4.abs
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    v128.store offset=16
    local.get $2
    i32.const 32
    i32.add
    local.set $2
    local.get $3
    i32.const 8
    i32.sub
    local.tee $3
    i32.const 8
    i32.ge_u
    br_if $do-loop|0
   end
  end
  local.get $0
  local.get $1
  i32.const -8
  i32.and
  i32.const 2
  i32.shl
  i32.add
  local.set $0
  local.get $1
  i32.const 7
  i32.and
  local.tee $2
  if
   loop $do-loop|00
    local.get $0
    local.get $0
    v128.load32_zero
    local.tee $4
    local.get $4
    f32x4.abs
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    v128.store32_lane 0
    local.get $0
    i32.const 4
    i32.add
    local.set $0
    local.get $2
    i32.const 1
    i32.sub
    local.tee $2
    br_if $do-loop|00
   end
  end
 )
 (func $assembly/rows/scale (param $0 i32) (param $1 f64) (param $2 i32)
  (local $3 v128)
  (local $4 v128)
  local.get $1
  f64.const 1
  f64.eq
  if
   local.get $0
   local.get $2
   call $assembly/behind/flushPlane
   return
  end
  local.get $1
  f64x2.splat
  local.set $3
  loop $for-loop|0
   local.get $2
   i32.const 4
   i32.ge_u
   if
    local.get $0
    local.get $3
    local.get $0
    v128.load64_zero
    f64x2.promote_low_f32x4
    f64x2.mul
    f32x4.demote_f64x2_zero
    local.get $3
    local.get $0
    i32.const 8
    i32.add
    v128.load64_zero
    f64x2.promote_low_f32x4
    f64x2.mul
    f32x4.demote_f64x2_zero
    i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
    local.tee $4
    local.get $4
    f32x4.abs
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    v128.store
    local.get $0
    i32.const 16
    i32.add
    local.set $0
    local.get $2
    i32.const 4
    i32.sub
    local.set $2
    br $for-loop|0
   end
  end
  loop $for-loop|1
   local.get $2
   if
    local.get $0
    local.get $3
    local.get $0
    v128.load32_zero
    f64x2.promote_low_f32x4
    f64x2.mul
    f32x4.demote_f64x2_zero
    local.tee $4
    local.get $4
    f32x4.abs
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    v128.store32_lane 0
    local.get $0
    i32.const 4
    i32.add
    local.set $0
    local.get $2
    i32.const 1
    i32.sub
    local.set $2
    br $for-loop|1
   end
  end
 )
 (func $assembly/update/update (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (param $6 i32) (param $7 i32) (param $8 i32) (param $9 i32) (param $10 f32) (param $11 f32) (param $12 f32) (param $13 f32) (param $14 f32) (param $15 f32) (param $16 f32) (param $17 f32) (param $18 f32) (param $19 f32) (param $20 f32) (param $21 f32) (param $22 f32) (param $23 f32) (param $24 f32) (param $25 f32)
  (local $26 i32)
  (local $27 i32)
  (local $28 i32)
  (local $29 i32)
  (local $30 i32)
  (local $31 i32)
  (local $32 i32)
  (local $33 v128)
  (local $34 v128)
  (local $35 v128)
  (local $36 v128)
  (local $37 v128)
  (local $38 i32)
  (local $39 i32)
  (local $40 i32)
  (local $41 v128)
  (local $42 i32)
  (local $43 v128)
  (local $44 v128)
  (local $45 v128)
  (local $46 v128)
  (local $47 v128)
  (local $48 v128)
  (local $49 v128)
  (local $50 v128)
  (local $51 v128)
  (local $52 v128)
  (local $53 v128)
  (local $54 v128)
  local.get $14
  f32x4.splat
  local.get $16
  f32x4.replace_lane 1
  local.get $17
  f32.const 1
  local.get $0
  local.get $0
  i32.const 8192
  i32.or
  local.get $11
  f32.const 0.5
  f32.lt
  local.get $11
  f32.const 0
  f32.gt
  i32.and
  select
  local.tee $0
  i32.const 12
  i32.and
  select
  f32x4.replace_lane 2
  local.get $19
  f32x4.replace_lane 3
  local.set $36
  local.get $0
  i32.eqz
  local.get $9
  i32.const 4194304
  i32.ge_u
  i32.and
  if
   local.get $9
   i32.const 1
   i32.sub
   i32.const 1
   i32.shr_u
   i32.const -1024
   i32.and
   local.set $42
   local.get $0
   i32.const 16384
   i32.or
   local.set $0
  end
  local.get $10
  f32x4.splat
  local.get $11
  f32x4.replace_lane 1
  local.get $15
  f32x4.replace_lane 2
  local.get $20
  f32x4.replace_lane 3
  local.set $37
  local.get $12
  f32x4.splat
  local.get $13
  f32x4.replace_lane 1
  local.get $18
  f32x4.replace_lane 2
  local.get $21
  f32x4.replace_lane 3
  local.set $35
  local.get $23
  f32x4.splat
  local.get $24
  f32x4.replace_lane 1
  local.get $25
  f32x4.replace_lane 2
  f32.const 0
  f32x4.replace_lane 3
  local.set $41
  local.get $42
  i32.const 2
  i32.shl
  local.set $39
  loop $while-continue|0
   local.get $9
   if
    i32.const 1024
    local.get $9
    local.get $9
    i32.const 1024
    i32.ge_u
    select
    local.tee $38
    i32.const 2
    i32.shl
    local.set $40
    local.get $9
    local.get $38
    i32.gt_u
    if
     local.get $1
     i32.const 4096
     i32.add
     v128.load32_zero
     drop
     local.get $2
     i32.const 4096
     i32.add
     v128.load32_zero
     drop
     local.get $3
     i32.const 4096
     i32.add
     v128.load32_zero
     drop
     local.get $0
     i32.const 16384
     i32.and
     if
      local.get $1
      local.get $39
      i32.add
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
      local.get $2
      local.get $39
      i32.add
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
      local.get $3
      local.get $39
      i32.add
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
     end
     local.get $0
     i32.const 1
     i32.and
     if
      local.get $4
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
     end
     local.get $0
     i32.const 2
     i32.and
     if
      local.get $5
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
     end
     local.get $0
     i32.const 64
     i32.and
     if
      local.get $6
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
     end
     local.get $0
     i32.const 2048
     i32.and
     if
      local.get $8
      i32.const 4096
      i32.add
      v128.load32_zero
      drop
     end
    end
    i32.const 0
    local.get $38
    i32.const -8
    i32.and
    local.get $0
    i32.const 8192
    i32.and
    select
    local.tee $30
    if
     block $break|1
      block $case8|1
       block $case7|1
        block $case6|1
         block $case5|1
          block $case4|1
           block $case3|1
            block $case2|1
             block $case1|1
              block $case0|1
               block $tablify|0
                local.get $0
                i32.const -705
                i32.and
                local.tee $26
                br_table $case0|1 $case1|1 $case2|1 $tablify|0
               end
               local.get $26
               i32.const 3
               i32.eq
               br_if $case3|1
               local.get $26
               i32.const 4
               i32.eq
               br_if $case4|1
               local.get $26
               i32.const 8
               i32.eq
               br_if $case5|1
               local.get $26
               i32.const 1024
               i32.eq
               br_if $case6|1
               local.get $26
               i32.const 16384
               i32.eq
               br_if $case7|1
               br $case8|1
              end
              local.get $1
              local.set $26
              local.get $2
              local.set $28
              local.get $3
              local.set $27
              local.get $30
              local.set $29
              local.get $37
              f32x4.extract_lane 1
              f32x4.splat
              local.set $33
              local.get $36
              f32x4.extract_lane 0
              f32x4.splat
              local.set $34
              local.get $35
              f32x4.extract_lane 0
              f32x4.splat
              local.set $43
              local.get $35
              f32x4.extract_lane 1
              f32x4.splat
              local.set $44
              loop $do-loop|0
               local.get $26
               v128.load offset=16
               local.set $45
               local.get $33
               local.get $28
               v128.load
               local.tee $46
               local.get $46
               f32x4.mul
               local.get $27
               v128.load
               local.tee $47
               f32x4.sub
               f32x4.mul
               local.get $47
               f32x4.add
               v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
               f32x4.pmin
               local.set $47
               local.get $33
               local.get $28
               v128.load offset=16
               local.tee $48
               local.get $48
               f32x4.mul
               local.get $27
               v128.load offset=16
               local.tee $49
               f32x4.sub
               f32x4.mul
               local.get $49
               f32x4.add
               v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
               f32x4.pmin
               local.set $49
               local.get $26
               local.get $26
               v128.load
               local.get $34
               local.get $46
               f32x4.mul
               local.get $47
               local.get $43
               f32x4.add
               f32x4.sqrt
               local.get $44
               f32x4.add
               f32x4.div
               f32x4.sub
               v128.store
               local.get $26
               local.get $45
               local.get $34
               local.get $48
               f32x4.mul
               local.get $49
               local.get $43
               f32x4.add
               f32x4.sqrt
               local.get $44
               f32x4.add
               f32x4.div
               f32x4.sub
               v128.store offset=16
               local.get $27
               local.get $47
               v128.store
               local.get $27
               local.get $49
               v128.store offset=16
               local.get $26
               i32.const 32
               i32.add
               local.set $26
               local.get $28
               i32.const 32
               i32.add
               local.set $28
               local.get $27
               i32.const 32
               i32.add
               local.set $27
               local.get $29
               i32.const 8
               i32.sub
               local.tee $29
               i32.const 8
               i32.ge_u
               br_if $do-loop|0
              end
              br $break|1
             end
             local.get $1
             local.set $26
             local.get $2
             local.set $29
             local.get $3
             local.set $27
             local.get $4
             local.set $28
             local.get $30
             local.set $31
             local.get $37
             f32x4.extract_lane 1
             f32x4.splat
             local.set $33
             local.get $37
             f32x4.extract_lane 2
             f32x4.splat
             local.set $34
             local.get $36
             f32x4.extract_lane 0
             f32x4.splat
             local.set $43
             local.get $36
             f32x4.extract_lane 1
             f32x4.splat
             local.set $44
             local.get $35
             f32x4.extract_lane 0
             f32x4.splat
             local.set $45
             local.get $35
             f32x4.extract_lane 1
             f32x4.splat
             local.set $46
             loop $do-loop|00
              local.get $26
              v128.load offset=16
              local.set $47
              local.get $33
              local.get $29
              v128.load
              local.tee $48
              local.get $48
              f32x4.mul
              local.get $27
              v128.load
              local.tee $49
              f32x4.sub
              f32x4.mul
              local.get $49
              f32x4.add
              v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
              f32x4.pmin
              local.set $49
              local.get $33
              local.get $29
              v128.load offset=16
              local.tee $50
              local.get $50
              f32x4.mul
              local.get $27
              v128.load offset=16
              local.tee $51
              f32x4.sub
              f32x4.mul
              local.get $51
              f32x4.add
              v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
              f32x4.pmin
              local.set $51
              local.get $43
              local.get $50
              f32x4.mul
              local.get $51
              local.get $45
              f32x4.add
              f32x4.sqrt
              local.get $46
              f32x4.add
              f32x4.div
              local.get $34
              local.get $28
              v128.load offset=16
              f32x4.mul
              f32x4.add
              local.set $50
              local.get $26
              local.get $26
              v128.load
              local.get $44
              local.get $43
              local.get $48
              f32x4.mul
              local.get $49
              local.get $45
              f32x4.add
              f32x4.sqrt
              local.get $46
              f32x4.add
              f32x4.div
              local.get $34
              local.get $28
              v128.load
              f32x4.mul
              f32x4.add
              local.tee $48
              f32x4.mul
              f32x4.sub
              v128.store
              local.get $26
              local.get $47
              local.get $44
              local.get $50
              f32x4.mul
              f32x4.sub
              v128.store offset=16
              local.get $27
              local.get $49
              v128.store
              local.get $27
              local.get $51
              v128.store offset=16
              local.get $28
              local.get $48
              v128.store
              local.get $28
              local.get $50
              v128.store offset=16
              local.get $26
              i32.const 32
              i32.add
              local.set $26
              local.get $29
              i32.const 32
              i32.add
              local.set $29
              local.get $27
              i32.const 32
              i32.add
              local.set $27
              local.get $28
              i32.const 32
              i32.add
              local.set $28
              local.get $31
              i32.const 8
              i32.sub
              local.tee $31
              i32.const 8
              i32.ge_u
              br_if $do-loop|00
             end
             br $break|1
            end
            local.get $1
            local.set $26
            local.get $2
            local.set $29
            local.get $3
            local.set $27
            local.get $5
            local.set $28
            local.get $30
            local.set $31
            local.get $37
            f32x4.extract_lane 1
            f32x4.splat
            local.set $33
            local.get $36
            f32x4.extract_lane 0
            f32x4.splat
            local.set $34
            local.get $35
            f32x4.extract_lane 0
            f32x4.splat
            local.set $43
            local.get $35
            f32x4.extract_lane 1
            f32x4.splat
            local.set $44
            loop $do-loop|01
             local.get $33
             local.get $29
             v128.load
             local.tee $45
             local.get $45
             f32x4.mul
             local.get $27
             v128.load
             local.tee $46
             f32x4.sub
             f32x4.mul
             local.get $46
             f32x4.add
             v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
             f32x4.pmin
             local.set $46
             local.get $33
             local.get $29
             v128.load offset=16
             local.tee $47
             local.get $47
             f32x4.mul
             local.get $27
             v128.load offset=16
             local.tee $48
             f32x4.sub
             f32x4.mul
             local.get $48
             f32x4.add
             v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
             f32x4.pmin
             local.set $48
             local.get $26
             v128.load offset=16
             local.set $49
             local.get $33
             local.get $47
             local.get $28
             v128.load offset=16
             local.tee $50
             f32x4.sub
             f32x4.mul
             local.get $50
             f32x4.add
             local.set $50
             local.get $26
             local.get $26
             v128.load
             local.get $34
             local.get $45
             f32x4.mul
             local.get $46
             local.get $33
             local.get $45
             local.get $28
             v128.load
             local.tee $45
             f32x4.sub
             f32x4.mul
             local.get $45
             f32x4.add
             local.tee $45
             local.get $45
             f32x4.mul
             f32x4.sub
             v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
             f32x4.pmax
             local.get $43
             f32x4.add
             f32x4.sqrt
             local.get $44
             f32x4.add
             f32x4.div
             f32x4.sub
             v128.store
             local.get $26
             local.get $49
             local.get $34
             local.get $47
             f32x4.mul
             local.get $48
             local.get $50
             local.get $50
             f32x4.mul
             f32x4.sub
             v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
             f32x4.pmax
             local.get $43
             f32x4.add
             f32x4.sqrt
             local.get $44
             f32x4.add
             f32x4.div
             f32x4.sub
             v128.store offset=16
             local.get $27
             local.get $46
             v128.store
             local.get $27
             local.get $48
             v128.store offset=16
             local.get $28
             local.get $45
             v128.store
             local.get $28
             local.get $50
             v128.store offset=16
             local.get $26
             i32.const 32
             i32.add
             local.set $26
             local.get $29
             i32.const 32
             i32.add
             local.set $29
             local.get $27
             i32.const 32
             i32.add
             local.set $27
             local.get $28
             i32.const 32
             i32.add
             local.set $28
             local.get $31
             i32.const 8
             i32.sub
             local.tee $31
             i32.const 8
             i32.ge_u
             br_if $do-loop|01
            end
            br $break|1
           end
           local.get $1
           local.set $26
           local.get $2
           local.set $31
           local.get $3
           local.set $27
           local.get $4
           local.set $28
           local.get $5
           local.set $29
           local.get $30
           local.set $32
           local.get $37
           f32x4.extract_lane 1
           f32x4.splat
           local.set $33
           local.get $37
           f32x4.extract_lane 2
           f32x4.splat
           local.set $34
           local.get $36
           f32x4.extract_lane 0
           f32x4.splat
           local.set $43
           local.get $36
           f32x4.extract_lane 1
           f32x4.splat
           local.set $44
           local.get $35
           f32x4.extract_lane 0
           f32x4.splat
           local.set $45
           local.get $35
           f32x4.extract_lane 1
           f32x4.splat
           local.set $46
           loop $do-loop|02
            local.get $33
            local.get $31
            v128.load
            local.tee $47
            local.get $47
            f32x4.mul
            local.get $27
            v128.load
            local.tee $48
            f32x4.sub
            f32x4.mul
            local.get $48
            f32x4.add
            v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
            f32x4.pmin
            local.set $48
            local.get $33
            local.get $31
            v128.load offset=16
            local.tee $49
            local.get $49
            f32x4.mul
            local.get $27
            v128.load offset=16
            local.tee $50
            f32x4.sub
            f32x4.mul
            local.get $50
            f32x4.add
            v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
            f32x4.pmin
            local.set $50
            local.get $26
            v128.load offset=16
            local.set $51
            local.get $43
            local.get $49
            f32x4.mul
            local.get $50
            local.get $33
            local.get $49
            local.get $29
            v128.load offset=16
            local.tee $49
            f32x4.sub
            f32x4.mul
            local.get $49
            f32x4.add
            local.tee $49
            local.get $49
            f32x4.mul
            f32x4.sub
            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
            f32x4.pmax
            local.get $45
            f32x4.add
            f32x4.sqrt
            local.get $46
            f32x4.add
            f32x4.div
            local.get $34
            local.get $28
            v128.load offset=16
            f32x4.mul
            f32x4.add
            local.set $52
            local.get $26
            local.get $26
            v128.load
            local.get $44
            local.get $43
            local.get $47
            f32x4.mul
            local.get $48
            local.get $33
            local.get $47
            local.get $29
            v128.load
            local.tee $47
            f32x4.sub
            f32x4.mul
            local.get $47
            f32x4.add
            local.tee $47
            local.get $47
            f32x4.mul
            f32x4.sub
            v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
            f32x4.pmax
            local.get $45
            f32x4.add
            f32x4.sqrt
            local.get $46
            f32x4.add
            f32x4.div
            local.get $34
            local.get $28
            v128.load
            f32x4.mul
            f32x4.add
            local.tee $53
            f32x4.mul
            f32x4.sub
            v128.store
            local.get $26
            local.get $51
            local.get $44
            local.get $52
            f32x4.mul
            f32x4.sub
            v128.store offset=16
            local.get $27
            local.get $48
            v128.store
            local.get $27
            local.get $50
            v128.store offset=16
            local.get $29
            local.get $47
            v128.store
            local.get $29
            local.get $49
            v128.store offset=16
            local.get $28
            local.get $53
            v128.store
            local.get $28
            local.get $52
            v128.store offset=16
            local.get $26
            i32.const 32
            i32.add
            local.set $26
            local.get $31
            i32.const 32
            i32.add
            local.set $31
            local.get $27
            i32.const 32
            i32.add
            local.set $27
            local.get $28
            i32.const 32
            i32.add
            local.set $28
            local.get $29
            i32.const 32
            i32.add
            local.set $29
            local.get $32
            i32.const 8
            i32.sub
            local.tee $32
            i32.const 8
            i32.ge_u
            br_if $do-loop|02
           end
           br $break|1
          end
          local.get $1
          local.set $26
          local.get $2
          local.set $28
          local.get $3
          local.set $27
          local.get $30
          local.set $29
          local.get $37
          f32x4.extract_lane 1
          f32x4.splat
          local.set $33
          local.get $36
          f32x4.extract_lane 0
          f32x4.splat
          local.set $34
          local.get $36
          f32x4.extract_lane 2
          f32x4.splat
          local.set $43
          local.get $35
          f32x4.extract_lane 0
          f32x4.splat
          local.set $44
          local.get $35
          f32x4.extract_lane 1
          f32x4.splat
          local.set $45
          local.get $35
          f32x4.extract_lane 2
          f32x4.splat
          local.tee $46
          f32x4.neg
          local.set $47
          loop $do-loop|023
           local.get $26
           v128.load offset=16
           local.set $48
           local.get $33
           local.get $28
           v128.load
           local.get $43
           f32x4.mul
           local.get $47
           f32x4.pmax
           local.get $46
           f32x4.pmin
           local.tee $49
           local.get $49
           f32x4.mul
           local.get $27
           v128.load
           local.tee $50
           f32x4.sub
           f32x4.mul
           local.get $50
           f32x4.add
           v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
           f32x4.pmin
           local.set $50
           local.get $33
           local.get $28
           v128.load offset=16
           local.get $43
           f32x4.mul
           local.get $47
           f32x4.pmax
           local.get $46
           f32x4.pmin
           local.tee $51
           local.get $51
           f32x4.mul
           local.get $27
           v128.load offset=16
           local.tee $52
           f32x4.sub
           f32x4.mul
           local.get $52
           f32x4.add
           v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
           f32x4.pmin
           local.set $52
           local.get $26
           local.get $26
           v128.load
           local.get $34
           local.get $49
           f32x4.mul
           local.get $50
           local.get $44
           f32x4.add
           f32x4.sqrt
           local.get $45
           f32x4.add
           f32x4.div
           f32x4.sub
           v128.store
           local.get $26
           local.get $48
           local.get $34
           local.get $51
           f32x4.mul
           local.get $52
           local.get $44
           f32x4.add
           f32x4.sqrt
           local.get $45
           f32x4.add
           f32x4.div
           f32x4.sub
           v128.store offset=16
           local.get $27
           local.get $50
           v128.store
           local.get $27
           local.get $52
           v128.store offset=16
           local.get $26
           i32.const 32
           i32.add
           local.set $26
           local.get $28
           i32.const 32
           i32.add
           local.set $28
           local.get $27
           i32.const 32
           i32.add
           local.set $27
           local.get $29
           i32.const 8
           i32.sub
           local.tee $29
           i32.const 8
           i32.ge_u
           br_if $do-loop|023
          end
          br $break|1
         end
         local.get $1
         local.set $26
         local.get $2
         local.set $28
         local.get $3
         local.set $27
         local.get $30
         local.set $29
         local.get $37
         f32x4.extract_lane 1
         f32x4.splat
         local.set $33
         local.get $37
         f32x4.extract_lane 3
         f32x4.splat
         local.set $34
         local.get $36
         f32x4.extract_lane 0
         f32x4.splat
         local.set $43
         local.get $36
         f32x4.extract_lane 2
         f32x4.splat
         local.set $44
         local.get $35
         f32x4.extract_lane 0
         f32x4.splat
         local.set $45
         local.get $35
         f32x4.extract_lane 1
         f32x4.splat
         local.set $46
         loop $do-loop|03
          local.get $33
          local.get $28
          v128.load
          local.get $44
          f32x4.mul
          local.get $34
          local.get $26
          v128.load
          local.tee $47
          f32x4.mul
          f32x4.add
          local.tee $48
          local.get $48
          f32x4.mul
          local.get $27
          v128.load
          local.tee $49
          f32x4.sub
          f32x4.mul
          local.get $49
          f32x4.add
          v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
          f32x4.pmin
          local.set $49
          local.get $33
          local.get $28
          v128.load offset=16
          local.get $44
          f32x4.mul
          local.get $34
          local.get $26
          v128.load offset=16
          local.tee $50
          f32x4.mul
          f32x4.add
          local.tee $51
          local.get $51
          f32x4.mul
          local.get $27
          v128.load offset=16
          local.tee $52
          f32x4.sub
          f32x4.mul
          local.get $52
          f32x4.add
          v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
          f32x4.pmin
          local.set $52
          local.get $26
          local.get $47
          local.get $43
          local.get $48
          f32x4.mul
          local.get $49
          local.get $45
          f32x4.add
          f32x4.sqrt
          local.get $46
          f32x4.add
          f32x4.div
          f32x4.sub
          v128.store
          local.get $26
          local.get $50
          local.get $43
          local.get $51
          f32x4.mul
          local.get $52
          local.get $45
          f32x4.add
          f32x4.sqrt
          local.get $46
          f32x4.add
          f32x4.div
          f32x4.sub
          v128.store offset=16
          local.get $27
          local.get $49
          v128.store
          local.get $27
          local.get $52
          v128.store offset=16
          local.get $26
          i32.const 32
          i32.add
          local.set $26
          local.get $28
          i32.const 32
          i32.add
          local.set $28
          local.get $27
          i32.const 32
          i32.add
          local.set $27
          local.get $29
          i32.const 8
          i32.sub
          local.tee $29
          i32.const 8
          i32.ge_u
          br_if $do-loop|03
         end
         br $break|1
        end
        local.get $1
        local.set $26
        local.get $2
        local.set $29
        local.get $3
        local.set $27
        local.get $7
        local.set $28
        local.get $30
        local.set $31
        local.get $37
        f32x4.extract_lane 1
        f32x4.splat
        local.set $33
        local.get $36
        f32x4.extract_lane 0
        f32x4.splat
        local.set $34
        local.get $35
        f32x4.extract_lane 0
        f32x4.splat
        local.set $43
        local.get $35
        f32x4.extract_lane 1
        f32x4.splat
        local.set $44
        local.get $41
        f32x4.extract_lane 0
        f32x4.splat
        local.set $45
        local.get $41
        f32x4.extract_lane 1
        f32x4.splat
        local.set $46
        loop $do-loop|04
         local.get $33
         local.get $29
         v128.load
         local.tee $47
         local.get $47
         f32x4.mul
         local.get $27
         v128.load
         local.tee $48
         f32x4.sub
         f32x4.mul
         local.get $48
         f32x4.add
         v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
         f32x4.pmin
         local.set $48
         local.get $33
         local.get $29
         v128.load offset=16
         local.tee $49
         local.get $49
         f32x4.mul
         local.get $27
         v128.load offset=16
         local.tee $50
         f32x4.sub
         f32x4.mul
         local.get $50
         f32x4.add
         v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
         f32x4.pmin
         local.set $50
         local.get $28
         v128.load offset=16
         local.set $51
         local.get $26
         v128.load offset=16
         local.set $52
         local.get $26
         local.get $26
         v128.load
         local.tee $53
         local.get $46
         local.get $34
         local.get $47
         f32x4.mul
         local.get $48
         local.get $43
         f32x4.add
         f32x4.sqrt
         local.get $44
         f32x4.add
         f32x4.div
         local.tee $47
         f32x4.mul
         local.get $45
         local.get $28
         v128.load
         local.tee $54
         local.get $53
         f32x4.sub
         f32x4.mul
         f32x4.sub
         f32x4.sub
         v128.store
         local.get $26
         local.get $52
         local.get $46
         local.get $34
         local.get $49
         f32x4.mul
         local.get $50
         local.get $43
         f32x4.add
         f32x4.sqrt
         local.get $44
         f32x4.add
         f32x4.div
         local.tee $49
         f32x4.mul
         local.get $45
         local.get $51
         local.get $52
         f32x4.sub
         f32x4.mul
         f32x4.sub
         f32x4.sub
         v128.store offset=16
         local.get $27
         local.get $48
         v128.store
         local.get $27
         local.get $50
         v128.store offset=16
         local.get $28
         local.get $54
         local.get $47
         f32x4.sub
         v128.store
         local.get $28
         local.get $51
         local.get $49
         f32x4.sub
         v128.store offset=16
         local.get $26
         i32.const 32
         i32.add
         local.set $26
         local.get $29
         i32.const 32
         i32.add
         local.set $29
         local.get $27
         i32.const 32
         i32.add
         local.set $27
         local.get $28
         i32.const 32
         i32.add
         local.set $28
         local.get $31
         i32.const 8
         i32.sub
         local.tee $31
         i32.const 8
         i32.ge_u
         br_if $do-loop|04
        end
        br $break|1
       end
       local.get $1
       local.set $26
       local.get $2
       local.set $28
       local.get $3
       local.set $27
       local.get $30
       local.set $29
       local.get $37
       f32x4.extract_lane 1
       f32x4.splat
       local.set $33
       local.get $36
       f32x4.extract_lane 0
       f32x4.splat
       local.set $34
       local.get $35
       f32x4.extract_lane 0
       f32x4.splat
       local.set $43
       local.get $35
       f32x4.extract_lane 1
       f32x4.splat
       local.set $44
       loop $do-loop|05
        local.get $26
        local.get $39
        i32.add
        local.tee $31
        v128.load
        local.set $45
        local.get $33
        local.get $28
        v128.load
        local.tee $46
        local.get $46
        f32x4.mul
        local.get $27
        v128.load
        local.tee $47
        f32x4.sub
        f32x4.mul
        local.get $47
        f32x4.add
        v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
        f32x4.pmin
        local.set $47
        local.get $33
        local.get $28
        local.get $39
        i32.add
        v128.load
        local.tee $48
        local.get $48
        f32x4.mul
        local.get $27
        local.get $39
        i32.add
        local.tee $32
        v128.load
        local.tee $49
        f32x4.sub
        f32x4.mul
        local.get $49
        f32x4.add
        v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
        f32x4.pmin
        local.set $49
        local.get $26
        local.get $26
        v128.load
        local.get $34
        local.get $46
        f32x4.mul
        local.get $47
        local.get $43
        f32x4.add
        f32x4.sqrt
        local.get $44
        f32x4.add
        f32x4.div
        f32x4.sub
        v128.store
        local.get $31
        local.get $45
        local.get $34
        local.get $48
        f32x4.mul
        local.get $49
        local.get $43
        f32x4.add
        f32x4.sqrt
        local.get $44
        f32x4.add
        f32x4.div
        f32x4.sub
        v128.store
        local.get $27
        local.get $47
        v128.store
        local.get $32
        local.get $49
        v128.store
        local.get $26
        i32.const 16
        i32.add
        local.set $26
        local.get $28
        i32.const 16
        i32.add
        local.set $28
        local.get $27
        i32.const 16
        i32.add
        local.set $27
        local.get $29
        i32.const 4
        i32.sub
        local.tee $29
        i32.const 4
        i32.ge_u
        br_if $do-loop|05
       end
       br $break|1
      end
      local.get $0
      i32.const -737
      i32.and
      i32.const 2048
      i32.eq
      if
       local.get $1
       local.set $26
       local.get $2
       local.set $29
       local.get $3
       local.set $27
       local.get $8
       local.set $28
       local.get $30
       local.set $31
       local.get $37
       f32x4.extract_lane 1
       f32x4.splat
       local.set $43
       local.get $36
       f32x4.extract_lane 0
       f32x4.splat
       local.set $44
       local.get $36
       f32x4.extract_lane 3
       f32x4.splat
       local.set $45
       local.get $35
       f32x4.extract_lane 0
       f32x4.splat
       local.set $46
       local.get $35
       f32x4.extract_lane 1
       f32x4.splat
       local.set $47
       local.get $35
       f32x4.extract_lane 3
       f32x4.splat
       local.set $48
       local.get $41
       f32x4.extract_lane 2
       f32x4.splat
       local.set $49
       loop $do-loop|06
        local.get $26
        v128.load
        local.set $50
        local.get $26
        v128.load offset=16
        local.set $51
        local.get $43
        local.get $29
        v128.load
        local.tee $34
        local.get $34
        f32x4.mul
        local.get $27
        v128.load
        local.tee $33
        f32x4.sub
        f32x4.mul
        local.get $33
        f32x4.add
        v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
        f32x4.pmin
        local.set $52
        local.get $43
        local.get $29
        v128.load offset=16
        local.tee $53
        local.get $53
        f32x4.mul
        local.get $27
        v128.load offset=16
        local.tee $33
        f32x4.sub
        f32x4.mul
        local.get $33
        f32x4.add
        v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
        f32x4.pmin
        local.tee $54
        local.set $33
        local.get $44
        local.get $34
        f32x4.mul
        local.get $0
        i32.const 32
        i32.and
        if (result v128)
         local.get $33
         local.get $48
         f32x4.div
         local.set $33
         local.get $52
         local.get $48
         f32x4.div
        else
         local.get $52
        end
        local.get $46
        f32x4.add
        f32x4.sqrt
        local.get $47
        f32x4.add
        f32x4.div
        local.set $34
        local.get $44
        local.get $53
        f32x4.mul
        local.get $33
        local.get $46
        f32x4.add
        f32x4.sqrt
        local.get $47
        f32x4.add
        f32x4.div
        local.set $33
        local.get $0
        i32.const 256
        i32.and
        if (result v128)
         local.get $34
         local.get $45
         local.get $50
         f32x4.mul
         f32x4.add
         local.set $34
         local.get $33
         local.get $45
         local.get $51
         f32x4.mul
         f32x4.add
        else
         local.get $33
        end
        local.get $49
        local.get $28
        v128.load offset=16
        local.tee $33
        f32x4.mul
        f32x4.sub
        local.set $53
        local.get $26
        local.get $50
        local.get $34
        local.get $49
        local.get $28
        v128.load
        local.tee $34
        f32x4.mul
        f32x4.sub
        local.tee $50
        f32x4.sub
        v128.store
        local.get $26
        local.get $51
        local.get $53
        f32x4.sub
        v128.store offset=16
        local.get $27
        local.get $52
        v128.store
        local.get $27
        local.get $54
        v128.store offset=16
        local.get $28
        local.get $34
        local.get $50
        f32x4.sub
        v128.store
        local.get $28
        local.get $33
        local.get $53
        f32x4.sub
        v128.store offset=16
        local.get $26
        i32.const 32
        i32.add
        local.set $26
        local.get $29
        i32.const 32
        i32.add
        local.set $29
        local.get $27
        i32.const 32
        i32.add
        local.set $27
        local.get $28
        i32.const 32
        i32.add
        local.set $28
        local.get $31
        i32.const 8
        i32.sub
        local.tee $31
        i32.const 8
        i32.ge_u
        br_if $do-loop|06
       end
      else
       local.get $0
       i32.const 3072
       i32.and
       if
        local.get $0
        local.get $1
        local.get $2
        local.get $3
        local.get $4
        local.get $5
        local.get $7
        local.get $8
        local.get $30
        local.get $37
        local.get $36
        local.get $35
        local.get $41
        call $"assembly/rmsprop/updateAs<assembly/lanes/Pair,f32,f32,f32,f32,f32,f32,f32>"
       else
        local.get $0
        local.get $1
        local.get $2
        local.get $3
        local.get $4
        local.get $5
        local.get $30
        local.get $37
        local.get $36
        local.get $35
        call $"assembly/rmsprop/updateAs<assembly/lanes/Pair,f32,f32,f32,f32,f32,void,void>"
       end
      end
     end
    end
    local.get $30
    local.get $38
    i32.lt_u
    if
     local.get $0
     local.get $30
     i32.const 2
     i32.shl
     local.tee $26
     local.get $1
     i32.add
     local.get $2
     local.get $26
     i32.add
     local.get $3
     local.get $26
     i32.add
     local.get $4
     local.get $26
     i32.add
     local.get $5
     local.get $26
     i32.add
     local.get $7
     local.get $26
     i32.add
     local.get $8
     local.get $26
     i32.add
     local.get $38
     local.get $30
     i32.sub
     local.get $37
     local.get $36
     local.get $35
     local.get $41
     call $"assembly/rmsprop/updateAs<f32,f32,f32,f32,f32,f32,f32,f32>"
    end
    local.get $0
    i32.const 64
    i32.and
    if
     local.get $6
     local.get $1
     local.get $38
     local.get $22
     call $assembly/behind/average
    end
    local.get $0
    i32.const 512
    i32.and
    if
     local.get $1
     local.get $38
     call $assembly/behind/flushPlane
     local.get $3
     local.get $38
     call $assembly/behind/flushPlane
     local.get $0
     i32.const 1
     i32.and
     if
      local.get $4
      local.get $38
      call $assembly/behind/flushPlane
     end
     local.get $0
     i32.const 2
     i32.and
     if
      local.get $5
      local.get $38
      call $assembly/behind/flushPlane
     end
     local.get $0
     i32.const 64
     i32.and
     if
      local.get $6
      local.get $38
      call $assembly/behind/flushPlane
     end
     local.get $0
     i32.const 1024
     i32.and
     if
      local.get $7
      local.get $38
      call $assembly/behind/flushPlane
     end
     local.get $0
     i32.const 2048
     i32.and
     if
      local.get $8
      local.get $38
      call $assembly/behind/flushPlane
     end
    end
    local.get $0
    i32.const 128
    i32.and
    if
     local.get $2
     i32.const 0
     local.get $40
     memory.fill
    end
    local.get $1
    local.get $40
    i32.add
    local.set $1
    local.get $2
    local.get $40
    i32.add
    local.set $2
    local.get $3
    local.get $40
    i32.add
    local.set $3
    local.get $4
    local.get $40
    i32.add
    local.set $4
    local.get $5
    local.get $40
    i32.add
    local.set $5
    local.get $6
    local.get $40
    i32.add
    local.set $6
    local.get $7
    local.get $40
    i32.add
    local.set $7
    local.get $8
    local.get $40
    i32.add
    local.set $8
    local.get $9
    local.get $38
    i32.sub
    local.set $9
    local.get $0
    i32.const 16384
    i32.and
    if
     local.get $9
     local.get $38
     i32.sub
     local.set $9
     local.get $42
     local.get $38
     i32.sub
     local.tee $42
     i32.eqz
     if
      local.get $1
      local.get $39
      i32.add
      local.set $1
      local.get $2
      local.get $39
      i32.add
      local.set $2
      local.get $3
      local.get $39
      i32.add
      local.set $3
      local.get $0
      i32.const -16385
      i32.and
      local.set $0
     end
    end
    br $while-continue|0
   end
  end
 )
 (func $assembly/rows/combine (param $0 i32) (param $1 f64) (param $2 i32) (param $3 f64) (param $4 i32) (param $5 f64) (param $6 i32)
  (local $7 v128)
  (local $8 i32)
  (local $9 i32)
  (local $10 v128)
  (local $11 v128)
  (local $12 v128)
  local.get $1
  f64x2.splat
  local.set $10
  local.get $3
  f64x2.splat
  local.set $11
  local.get $5
  f64x2.splat
  local.set $12
  local.get $6
  i32.const 1
  i32.add
  i32.const 1
  i32.shr_u
  local.set $8
  loop $for-loop|0
   local.get $8
   if
    local.get $10
    local.get $6
    i32.const 1
    i32.gt_u
    local.tee $9
    if (result v128)
     local.get $0
     v128.load64_zero
    else
     local.get $0
     v128.load32_zero
    end
    f64x2.promote_low_f32x4
    f64x2.mul
    local.set $7
    local.get $3
    f64.const 0
    f64.ne
    if
     local.get $7
     local.get $11
     local.get $9
     if (result v128)
      local.get $2
      v128.load64_zero
     else
      local.get $2
      v128.load32_zero
     end
     f64x2.promote_low_f32x4
     f64x2.mul
     f64x2.add
     local.set $7
    end
    local.get $5
    f64.const 0
    f64.ne
    if (result v128)
     local.get $7
     local.get $12
     local.get $9
     if (result v128)
      local.get $4
      v128.load64_zero
     else
      local.get $4
      v128.load32_zero
     end
     f64x2.promote_low_f32x4
     f64x2.mul
     f64x2.add
    else
     local.get $7
    end
    f32x4.demote_f64x2_zero
    local.tee $7
    local.get $7
    f32x4.abs
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    local.set $7
    local.get $9
    if
     local.get $0
     local.get $7
     v128.store64_lane 0
    else
     local.get $0
     local.get $7
     v128.store32_lane 0
    end
    local.get $0
    i32.const 8
    i32.add
    local.set $0
    local.get $2
    i32.const 8
    i32.add
    local.set $2
    local.get $4
    i32.const 8
    i32.add
    local.set $4
    local.get $6
    i32.const 2
    i32.sub
    local.set $6
    local.get $8
    i32.const 1
    i32.sub
    local.set $8
    br $for-loop|0
   end
  end
 )
 (func $assembly/gradient/sumOfSquares (param $0 i32) (param $1 i32) (param $2 f64) (result f64)
  (local $3 i32)
  (local $4 f64)
  (local $5 v128)
  (local $6 i32)
  (local $7 v128)
  (local $8 v128)
  (local $9 v128)
  (local $10 i32)
  f64.const 0
  local.set $2
  loop $while-continue|0
   local.get $1
   if
    local.get $0
    local.set $3
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    local.set $5
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    local.set $7
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    local.set $8
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    local.set $9
    i32.const 4096
    local.get $1
    local.get $1
    i32.const 4096
    i32.ge_u
    select
    local.tee $10
    local.tee $6
    i32.const 8
    i32.ge_u
    if
     loop $do-loop|0
      local.get $5
      local.get $3
      v128.load64_zero
      f64x2.promote_low_f32x4
      local.tee $5
      local.get $5
      f64x2.mul
      f64x2.add
      local.set $5
      local.get $7
      local.get $3
      v128.load64_zero offset=8
      f64x2.promote_low_f32x4
      local.tee $7
      local.get $7
      f64x2.mul
      f64x2.add
      local.set $7
      local.get $8
      local.get $3
      v128.load64_zero offset=16
      f64x2.promote_low_f32x4
      local.tee $8
      local.get $8
      f64x2.mul
      f64x2.add
      local.set $8
      local.get $9
      local.get $3
      v128.load64_zero offset=24
      f64x2.promote_low_f32x4
      local.tee $9
      local.get $9
      f64x2.mul
      f64x2.add
      local.set $9
      local.get $3
      i32.const 32
      i32.add
      local.set $3
      local.get $6
      i32.const 8
      i32.sub
      local.tee $6
      i32.const 8
      i32.ge_u
      br_if $do-loop|0
     end
    end
    local.get $2
    local.get $5
    local.get $7
    f64x2.add
    local.get $8
    local.get $9
    f64x2.add
    f64x2.add
    local.tee $5
    f64x2.extract_lane 0
    local.get $5
    f64x2.extract_lane 1
    f64.add
    local.set $2
    loop $for-loop|1
     local.get $6
     if
      local.get $2
      local.get $3
      f32.load
      f64.promote_f32
      local.tee $2
      local.get $2
      f64.mul
      f64.add
      local.set $2
      local.get $3
      i32.const 4
      i32.add
      local.set $3
      local.get $6
      i32.const 1
      i32.sub
      local.set $6
      br $for-loop|1
     end
    end
    local.get $2
    f64.add
    local.set $2
    local.get $0
    local.get $10
    i32.const 2
    i32.shl
    i32.add
    local.set $0
    local.get $1
    local.get $10
    i32.sub
    local.set $1
    br $while-continue|0
   end
  end
  local.get $2
 )
 (func $assembly/behind/average (param $0 i32) (param $1 i32) (param $2 i32) (param $3 f32)
  (local $4 i32)
  (local $5 i32)
  (local $6 i32)
  (local $7 v128)
  (local $8 v128)
  (local $9 v128)
  local.get $0
  local.set $4
  local.get $1
  local.set $5
  local.get $2
  local.set $6
  local.get $2
  i32.const 8
  i32.ge_u
  if
   local.get $3
   f32x4.splat
   local.set $8
   loop $do-loop|0
    local.get $8
    local.get $5
    v128.load offset=16
    local.get $4
    v128.load offset=16
    local.tee $7
    f32x4.sub
    f32x4.mul
    local.get $7
    f32x4.add
    local.set $9
    local.get $4
    local.get $8
    local.get $5
    v128.load
    local.get $4
    v128.load
    local.tee $7
    f32x4.sub
    f32x4.mul
    local.get $7
    f32x4.add
    v128.store
    local.get $4
    local.get $9
    v128.store offset=16
    local.get $4
    i32.const 32
    i32.add
    local.set $4
    local.get $5
    i32.const 32
    i32.add
    local.set $5
    local.get $6
    i32.const 8
    i32.sub
    local.tee $6
    i32.const 8
    i32.ge_u
    br_if $do-loop|0
   end
  end
  local.get $2
  i32.const -8
  i32.and
  i32.const 2
  i32.shl
  local.tee $4
  local.get $0
  i32.add
  local.set $0
  local.get $1
  local.get $4
  i32.add
  local.set $4
  local.get $2
  i32.const 7
  i32.and
  local.tee $2
  if
   local.get $3
   f32x4.splat
   local.set $7
   loop $do-loop|00
    local.get $0
    local.get $7
    local.get $4
    v128.load32_zero
    local.get $0
    v128.load32_zero
    local.tee $8
    f32x4.sub
    f32x4.mul
    local.get $8
    f32x4.add
    v128.store32_lane 0
    local.get $0
    i32.const 4
    i32.add
    local.set $0
    local.get $4
    i32.const 4
    i32.add
    local.set $4
    local.get $2
    i32.const 1
    i32.sub
    local.tee $2
    br_if $do-loop|00
   end
  end
 )
 (func $assembly/rows/updateRows (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (param $6 i32) (param $7 i32) (param $8 i32) (param $9 i32) (param $10 i32) (param $11 i32) (param $12 i32) (param $13 i32) (param $14 i32) (param $15 i32) (param $16 f64) (param $17 f32) (param $18 f32) (param $19 f32) (param $20 f32) (param $21 f32) (param $22 f32) (param $23 f32) (param $24 f32) (param $25 f32) (param $26 f32) (param $27 f32) (param $28 f32) (param $29 f32) (param $30 f32) (param $31 f32) (param $32 f32) (result i32)
  (local $33 i32)
  (local $34 i32)
  (local $35 i32)
  (local $36 f64)
  (local $37 i32)
  (local $38 f32)
  (local $39 v128)
  (local $40 i32)
  (local $41 i32)
  (local $42 i32)
  (local $43 f64)
  (local $44 i32)
  (local $45 i32)
  (local $46 i32)
  (local $47 v128)
  (local $48 i32)
  (local $49 v128)
  (local $50 i32)
  (local $51 i32)
  (local $52 i32)
  (local $53 i32)
  (local $54 i32)
  (local $55 f32)
  (local $56 i32)
  local.get $9
  i32.const 2
  i32.shl
  local.set $44
  i32.const 1
  local.get $9
  local.get $0
  i32.const 4096
  i32.and
  select
  local.set $46
  i32.const 128
  i32.const 8192
  local.get $9
  i32.const 1
  local.get $9
  select
  i32.div_u
  local.tee $34
  local.get $34
  i32.const 128
  i32.gt_u
  select
  local.tee $34
  i32.const 1
  local.get $34
  select
  local.set $48
  loop $while-continue|0
   local.get $14
   if
    local.get $14
    local.get $48
    local.get $14
    local.get $48
    i32.lt_u
    select
    local.set $45
    i32.const 0
    local.set $35
    loop $for-loop|1
     local.get $35
     local.get $45
     i32.lt_u
     if
      local.get $10
      local.get $35
      i32.const 2
      i32.shl
      i32.add
      i32.load
      local.tee $37
      local.get $44
      i32.mul
      local.tee $40
      local.get $1
      i32.add
      local.set $41
      i32.const 0
      local.set $34
      i32.const 0
      local.set $42
      loop $for-loop|0
       local.get $42
       local.get $44
       i32.lt_u
       if
        local.get $34
        local.get $41
        local.get $42
        i32.add
        i32.load
        i32.or
        local.set $34
        local.get $42
        i32.const -64
        i32.sub
        local.set $42
        br $for-loop|0
       end
      end
      local.get $33
      local.get $34
      i32.or
      local.get $3
      local.get $37
      local.get $46
      i32.mul
      i32.const 2
      i32.shl
      i32.add
      local.set $37
      local.get $46
      i32.const 2
      i32.shl
      local.set $41
      i32.const 0
      local.set $34
      i32.const 0
      local.set $42
      loop $for-loop|00
       local.get $41
       local.get $42
       i32.gt_u
       if
        local.get $34
        local.get $37
        local.get $42
        i32.add
        i32.load
        i32.or
        local.set $34
        local.get $42
        i32.const -64
        i32.sub
        local.set $42
        br $for-loop|00
       end
      end
      local.get $34
      i32.or
      local.set $33
      local.get $0
      i32.const 32768
      i32.and
      i32.eqz
      if
       local.get $2
       local.get $40
       i32.add
       local.set $37
       i32.const 0
       local.set $34
       i32.const 0
       local.set $42
       loop $for-loop|01
        local.get $42
        local.get $44
        i32.lt_u
        if
         local.get $34
         local.get $37
         local.get $42
         i32.add
         i32.load
         i32.or
         local.set $34
         local.get $42
         i32.const -64
         i32.sub
         local.set $42
         br $for-loop|01
        end
       end
       local.get $33
       local.get $34
       i32.or
       local.set $33
      end
      local.get $0
      i32.const 1
      i32.and
      if
       local.get $4
       local.get $40
       i32.add
       local.set $37
       i32.const 0
       local.set $34
       i32.const 0
       local.set $42
       loop $for-loop|02
        local.get $42
        local.get $44
        i32.lt_u
        if
         local.get $34
         local.get $37
         local.get $42
         i32.add
         i32.load
         i32.or
         local.set $34
         local.get $42
         i32.const -64
         i32.sub
         local.set $42
         br $for-loop|02
        end
       end
       local.get $33
       local.get $34
       i32.or
       local.set $33
      end
      local.get $0
      i32.const 2
      i32.and
      if
       local.get $5
       local.get $40
       i32.add
       local.set $37
       i32.const 0
       local.set $34
       i32.const 0
       local.set $42
       loop $for-loop|03
        local.get $42
        local.get $44
        i32.lt_u
        if
         local.get $34
         local.get $37
         local.get $42
         i32.add
         i32.load
         i32.or
         local.set $34
         local.get $42
         i32.const -64
         i32.sub
         local.set $42
         br $for-loop|03
        end
       end
       local.get $33
       local.get $34
       i32.or
       local.set $33
      end
      local.get $0
      i32.const 64
      i32.and
      if
       local.get $6
       local.get $40
       i32.add
       local.set $37
       i32.const 0
       local.set $42
       i32.const 0
       local.set $34
       loop $for-loop|04
        local.get $34
        local.get $44
        i32.lt_u
        if
         local.get $42
         local.get $34
         local.get $37
         i32.add
         i32.load
         i32.or
         local.set $42
         local.get $34
         i32.const -64
         i32.sub
         local.set $34
         br $for-loop|04
        end
       end
       local.get $33
       local.get $42
       i32.or
       local.set $33
      end
      local.get $35
      i32.const 1
      i32.add
      local.set $35
      br $for-loop|1
     end
    end
    i32.const 0
    local.set $42
    loop $for-loop|2
     local.get $42
     local.get $45
     i32.lt_u
     if
      local.get $10
      local.get $42
      i32.const 2
      i32.shl
      i32.add
      i32.load
      local.tee $34
      local.get $44
      i32.mul
      local.set $41
      i32.const 0
      local.set $40
      loop $do-loop|3
       local.get $34
       local.get $40
       i32.add
       local.set $37
       local.get $11
       if (result i32)
        local.get $15
        local.get $11
        local.get $37
        local.get $42
        local.get $0
        i32.const 65536
        i32.and
        select
        i32.const 2
        i32.shl
        i32.add
        i32.load
        i32.sub
       else
        i32.const 0
       end
       local.tee $35
       if
        local.get $37
        local.get $44
        i32.mul
        local.tee $50
        local.get $1
        i32.add
        local.set $51
        local.get $4
        local.get $50
        i32.add
        local.set $52
        local.get $6
        local.get $50
        i32.add
        local.set $53
        block $__inlined_func$assembly/rows/move$854
         local.get $13
         local.get $42
         i32.const 48
         i32.mul
         i32.add
         local.get $13
         local.get $13
         select
         local.tee $54
         i32.eqz
         if
          local.get $51
          local.get $9
          call $assembly/behind/flushPlane
          local.get $0
          i32.const 1
          i32.and
          if
           local.get $52
           local.get $9
           call $assembly/behind/flushPlane
          end
          local.get $0
          i32.const 64
          i32.and
          if
           local.get $53
           local.get $9
           call $assembly/behind/flushPlane
          end
          br $__inlined_func$assembly/rows/move$854
         end
         local.get $54
         f64.load offset=8
         local.set $36
         local.get $54
         f64.load offset=16
         local.set $43
         local.get $0
         i32.const 64
         i32.and
         if
          local.get $53
          local.get $54
          f64.load offset=24
          local.get $51
          local.get $54
          f64.load offset=32
          local.get $52
          local.get $54
          f64.load offset=40
          local.get $9
          call $assembly/rows/combine
         end
         local.get $43
         f64.const 0
         f64.eq
         if
          local.get $51
          local.get $36
          local.get $9
          call $assembly/rows/scale
         else
          local.get $51
          local.get $36
          local.get $52
          local.get $43
          i32.const 0
          f64.const 0
          local.get $9
          call $assembly/rows/combine
         end
         local.get $0
         i32.const 1
         i32.and
         if
          local.get $52
          local.get $54
          f64.load
          local.get $9
          call $assembly/rows/scale
         end
        end
        local.get $35
        i32.const 512
        i32.lt_u
        i32.const 0
        local.get $12
        select
        if
         local.get $12
         local.get $35
         i32.const 3
         i32.shl
         i32.add
         f64.load
         local.set $43
        else
         local.get $16
         local.set $36
         f64.const 1
         local.set $43
         loop $for-loop|05
          local.get $35
          if
           local.get $43
           local.get $36
           f64.mul
           local.get $43
           local.get $35
           i32.const 1
           i32.and
           select
           local.set $43
           local.get $36
           local.get $36
           f64.mul
           local.set $36
           local.get $35
           i32.const 1
           i32.shr_u
           local.set $35
           br $for-loop|05
          end
         end
        end
        local.get $3
        local.get $37
        local.get $46
        i32.mul
        i32.const 2
        i32.shl
        i32.add
        local.get $43
        local.get $46
        call $assembly/rows/scale
        local.get $0
        i32.const 2
        i32.and
        if
         local.get $5
         local.get $50
         i32.add
         local.get $43
         local.get $9
         call $assembly/rows/scale
        end
       end
       local.get $40
       i32.const 1
       i32.add
       local.set $40
       local.get $0
       i32.const 4096
       i32.and
       i32.eqz
       local.get $45
       local.get $42
       i32.const 1
       i32.add
       local.tee $42
       i32.gt_u
       i32.and
       if (result i32)
        local.get $10
        local.get $42
        i32.const 2
        i32.shl
        i32.add
        i32.load
        local.get $34
        local.get $40
        i32.add
        i32.eq
       else
        i32.const 0
       end
       br_if $do-loop|3
      end
      local.get $0
      i32.const 32768
      i32.and
      br_if $for-loop|2
      local.get $0
      i32.const 4096
      i32.and
      if
       local.get $2
       local.get $41
       i32.add
       local.tee $37
       local.get $9
       f64.const 1
       call $assembly/gradient/sumOfSquares
       local.get $24
       f64.promote_f32
       local.tee $36
       local.get $36
       f64.mul
       f64.mul
       local.get $9
       f64.convert_i32_u
       f64.div
       f32.demote_f64
       local.set $38
       local.get $3
       local.get $34
       i32.const 2
       i32.shl
       i32.add
       local.tee $51
       v128.load32_zero
       f32x4.extract_lane 0
       local.set $55
       local.get $6
       local.get $41
       i32.add
       local.set $52
       local.get $18
       f32.const 0.5
       f32.lt
       local.get $18
       f32.const 0
       f32.gt
       i32.and
       if (result f32)
        local.get $55
        local.get $18
        local.get $38
        local.get $55
        f32.sub
        f32.mul
        f32.add
       else
        local.get $17
        local.get $55
        f32.mul
        local.get $18
        local.get $38
        f32.mul
        f32.add
       end
       local.tee $38
       f32.const 3402823466385288598117041e14
       f32.gt
       if
        f32.const 3402823466385288598117041e14
        local.set $38
       end
       local.get $51
       local.get $38
       f32x4.splat
       v128.store32_lane 0
       local.get $1
       local.get $41
       i32.add
       local.tee $53
       local.set $40
       local.get $37
       local.set $34
       local.get $4
       local.get $41
       i32.add
       local.tee $54
       local.set $41
       local.get $9
       local.set $35
       local.get $38
       local.get $28
       f32.div
       local.get $38
       local.get $0
       i32.const 32
       i32.and
       select
       local.get $19
       f32.add
       f32.sqrt
       local.get $20
       f32.add
       local.set $38
       loop $while-continue|00
        local.get $35
        if
         local.get $35
         i32.const 4
         i32.ge_u
         local.tee $50
         if (result v128)
          local.get $40
          v128.load
         else
          local.get $40
          v128.load32_zero
         end
         local.set $49
         local.get $21
         f32x4.splat
         local.get $50
         if (result v128)
          local.get $34
          v128.load
         else
          local.get $34
          v128.load32_zero
         end
         local.get $24
         f32x4.splat
         f32x4.mul
         f32x4.mul
         local.get $38
         f32x4.splat
         f32x4.div
         local.set $39
         local.get $0
         i32.const 1
         i32.and
         if
          local.get $39
          local.get $22
          f32x4.splat
          local.get $50
          if (result v128)
           local.get $41
           v128.load
          else
           local.get $41
           v128.load32_zero
          end
          f32x4.mul
          f32x4.add
          local.set $47
          local.get $50
          if
           local.get $41
           local.get $47
           v128.store
          else
           local.get $41
           local.get $47
           v128.store32_lane 0
          end
          local.get $23
          f32x4.splat
          local.get $39
          local.get $22
          f32x4.splat
          local.get $47
          f32x4.mul
          f32x4.add
          local.get $47
          local.get $0
          i32.const 16
          i32.and
          select
          f32x4.mul
          local.set $39
         end
         local.get $49
         local.get $39
         local.get $26
         f32x4.splat
         local.get $49
         f32x4.mul
         f32x4.add
         local.get $39
         local.get $0
         i32.const 256
         i32.and
         select
         f32x4.sub
         local.set $39
         local.get $50
         if
          local.get $40
          local.get $39
          v128.store
         else
          local.get $40
          local.get $39
          v128.store32_lane 0
         end
         i32.const 4
         i32.const 1
         local.get $50
         select
         local.tee $50
         i32.const 2
         i32.shl
         local.tee $56
         local.get $40
         i32.add
         local.set $40
         local.get $34
         local.get $56
         i32.add
         local.set $34
         local.get $41
         local.get $56
         i32.add
         local.set $41
         local.get $35
         local.get $50
         i32.sub
         local.set $35
         br $while-continue|00
        end
       end
       local.get $0
       i32.const 64
       i32.and
       if
        local.get $52
        local.get $53
        local.get $9
        local.get $29
        call $assembly/behind/average
       end
       local.get $0
       i32.const 512
       i32.and
       if
        local.get $53
        local.get $9
        call $assembly/behind/flushPlane
        local.get $51
        i32.const 1
        call $assembly/behind/flushPlane
        local.get $0
        i32.const 1
        i32.and
        if
         local.get $54
         local.get $9
         call $assembly/behind/flushPlane
        end
        local.get $0
        i32.const 64
        i32.and
        if
         local.get $52
         local.get $9
         call $assembly/behind/flushPlane
        end
       end
       local.get $0
       i32.const 128
       i32.and
       if
        local.get $37
        i32.const 0
        local.get $9
        i32.const 2
        i32.shl
        memory.fill
       end
      else
       local.get $0
       i32.const -65537
       i32.and
       local.get $1
       local.get $41
       i32.add
       local.get $2
       local.get $41
       i32.add
       local.get $3
       local.get $41
       i32.add
       local.get $4
       local.get $41
       i32.add
       local.get $5
       local.get $41
       i32.add
       local.get $6
       local.get $41
       i32.add
       local.get $7
       local.get $41
       i32.add
       local.get $8
       local.get $41
       i32.add
       local.get $9
       local.get $40
       i32.mul
       local.get $17
       local.get $18
       local.get $19
       local.get $20
       local.get $21
       local.get $22
       local.get $23
       local.get $24
       local.get $25
       local.get $26
       local.get $27
       local.get $28
       local.get $29
       local.get $30
       local.get $31
       local.get $32
       call $assembly/update/update
      end
      br $for-loop|2
     end
    end
    local.get $45
    i32.const 2
    i32.shl
    local.tee $34
    local.get $10
    i32.add
    local.set $10
    local.get $11
    local.get $11
    local.get $34
    i32.add
    local.get $0
    i32.const 65536
    i32.and
    i32.const 1
    local.get $11
    select
    select
    local.set $11
    local.get $13
    local.get $45
    i32.const 48
    i32.mul
    i32.add
    local.get $13
    local.get $13
    select
    local.set $13
    local.get $14
    local.get $45
    i32.sub
    local.set $14
    br $while-continue|0
   end
  end
  local.get $33
 )
 (func $"assembly/rmsprop/updateAs<f32,f32,f32,f32,f32,f32,f32,f32>" (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (param $6 i32) (param $7 i32) (param $8 i32) (param $9 v128) (param $10 v128) (param $11 v128) (param $12 v128)
  (local $13 v128)
  (local $14 v128)
  (local $15 v128)
  (local $16 v128)
  (local $17 v128)
  (local $18 v128)
  (local $19 v128)
  (local $20 v128)
  (local $21 v128)
  (local $22 v128)
  (local $23 v128)
  (local $24 v128)
  (local $25 v128)
  (local $26 v128)
  (local $27 v128)
  (local $28 v128)
  (local $29 v128)
  (local $30 v128)
  (local $31 v128)
  (local $32 v128)
  local.get $9
  f32x4.extract_lane 0
  f32x4.splat
  local.set $16
  local.get $9
  f32x4.extract_lane 1
  f32x4.splat
  local.set $15
  local.get $9
  f32x4.extract_lane 2
  f32x4.splat
  local.set $17
  local.get $9
  f32x4.extract_lane 3
  f32x4.splat
  local.set $18
  local.get $10
  f32x4.extract_lane 0
  f32x4.splat
  local.set $22
  local.get $10
  f32x4.extract_lane 1
  f32x4.splat
  local.set $23
  local.get $10
  f32x4.extract_lane 2
  f32x4.splat
  local.set $19
  local.get $10
  f32x4.extract_lane 3
  f32x4.splat
  local.set $24
  local.get $11
  f32x4.extract_lane 0
  f32x4.splat
  local.set $25
  local.get $11
  f32x4.extract_lane 1
  f32x4.splat
  local.set $26
  local.get $11
  f32x4.extract_lane 2
  f32x4.splat
  local.tee $20
  f32x4.neg
  local.set $21
  local.get $11
  f32x4.extract_lane 3
  f32x4.splat
  local.set $27
  local.get $12
  f32x4.extract_lane 0
  f32x4.splat
  local.set $28
  local.get $12
  f32x4.extract_lane 1
  f32x4.splat
  local.set $29
  local.get $12
  f32x4.extract_lane 2
  f32x4.splat
  local.set $30
  loop $do-loop|0
   local.get $1
   v128.load32_zero
   local.set $13
   local.get $2
   v128.load32_zero
   local.get $19
   f32x4.mul
   local.set $9
   v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
   local.get $19
   f32x4.mul
   local.set $12
   local.get $9
   local.get $21
   f32x4.pmax
   local.get $20
   f32x4.pmin
   local.get $9
   local.get $0
   i32.const 4
   i32.and
   select
   local.set $9
   local.get $9
   local.get $18
   local.get $13
   f32x4.mul
   f32x4.add
   local.get $9
   local.get $0
   i32.const 8
   i32.and
   select
   local.set $9
   local.get $3
   v128.load32_zero
   local.set $10
   local.get $0
   i32.const 8192
   i32.and
   if (result v128)
    local.get $16
    local.get $10
    f32x4.mul
    local.get $15
    local.get $9
    f32x4.mul
    local.get $9
    f32x4.mul
    f32x4.add
   else
    local.get $15
    local.get $9
    local.get $9
    f32x4.mul
    local.get $10
    f32x4.sub
    f32x4.mul
    local.get $10
    f32x4.add
   end
   v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
   f32x4.pmin
   local.tee $31
   local.set $10
   local.get $13
   local.set $11
   local.get $0
   i32.const 2
   i32.and
   if
    local.get $5
    v128.load32_zero
    local.set $11
    local.get $10
    local.get $0
    i32.const 8192
    i32.and
    if (result v128)
     local.get $16
     local.get $11
     f32x4.mul
     local.get $15
     local.get $9
     f32x4.mul
     f32x4.add
    else
     local.get $15
     local.get $9
     local.get $11
     f32x4.sub
     f32x4.mul
     local.get $11
     f32x4.add
    end
    local.tee $11
    local.get $11
    f32x4.mul
    f32x4.sub
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    f32x4.pmax
    local.set $10
   end
   local.get $22
   local.get $9
   f32x4.mul
   local.get $10
   local.get $27
   f32x4.div
   local.get $10
   local.get $0
   i32.const 32
   i32.and
   select
   local.get $25
   f32x4.add
   f32x4.sqrt
   local.get $26
   f32x4.add
   f32x4.div
   local.set $9
   local.get $0
   i32.const 1
   i32.and
   if (result v128)
    local.get $23
    local.get $9
    local.get $17
    local.get $9
    local.get $17
    local.get $4
    v128.load32_zero
    f32x4.mul
    f32x4.add
    local.tee $9
    f32x4.mul
    f32x4.add
    local.get $9
    local.get $0
    i32.const 16
    i32.and
    select
    f32x4.mul
   else
    local.get $9
   end
   local.tee $10
   local.get $24
   local.get $13
   f32x4.mul
   f32x4.add
   local.get $10
   local.get $0
   i32.const 256
   i32.and
   select
   local.set $10
   local.get $0
   i32.const 2048
   i32.and
   if (result v128)
    local.get $10
    local.get $30
    local.get $7
    v128.load32_zero
    local.tee $12
    f32x4.mul
    f32x4.sub
    local.set $10
    local.get $12
    local.get $10
    f32x4.sub
   else
    local.get $13
   end
   local.set $14
   local.get $13
   local.set $12
   local.get $1
   local.get $13
   local.get $0
   i32.const 1024
   i32.and
   if (result v128)
    local.get $6
    v128.load32_zero
    local.tee $32
    local.get $10
    f32x4.sub
    local.set $12
    local.get $29
    local.get $10
    f32x4.mul
    local.get $28
    local.get $32
    local.get $13
    f32x4.sub
    f32x4.mul
    f32x4.sub
   else
    local.get $10
   end
   f32x4.sub
   v128.store32_lane 0
   local.get $3
   local.get $31
   v128.store32_lane 0
   local.get $0
   i32.const 2
   i32.and
   if
    local.get $5
    local.get $11
    v128.store32_lane 0
   end
   local.get $0
   i32.const 1
   i32.and
   if
    local.get $4
    local.get $9
    v128.store32_lane 0
   end
   local.get $0
   i32.const 1024
   i32.and
   if
    local.get $6
    local.get $12
    v128.store32_lane 0
   end
   local.get $0
   i32.const 2048
   i32.and
   if
    local.get $7
    local.get $14
    v128.store32_lane 0
   end
   local.get $1
   i32.const 4
   i32.add
   local.set $1
   local.get $2
   i32.const 4
   i32.add
   local.set $2
   local.get $3
   i32.const 4
   i32.add
   local.set $3
   local.get $4
   i32.const 4
   i32.add
   local.get $4
   local.get $0
   i32.const 1
   i32.and
   select
   local.set $4
   local.get $5
   i32.const 4
   i32.add
   local.get $5
   local.get $0
   i32.const 2
   i32.and
   select
   local.set $5
   local.get $6
   i32.const 4
   i32.add
   local.get $6
   local.get $0
   i32.const 1024
   i32.and
   select
   local.set $6
   local.get $7
   i32.const 4
   i32.add
   local.get $7
   local.get $0
   i32.const 2048
   i32.and
   select
   local.set $7
   local.get $8
   i32.const 1
   i32.sub
   local.tee $8
   br_if $do-loop|0
  end
 )
 (func $"assembly/rmsprop/updateAs<assembly/lanes/Pair,f32,f32,f32,f32,f32,void,void>" (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (param $6 i32) (param $7 v128) (param $8 v128) (param $9 v128)
  (local $10 v128)
  (local $11 v128)
  (local $12 v128)
  (local $13 v128)
  (local $14 v128)
  (local $15 v128)
  (local $16 v128)
  (local $17 v128)
  (local $18 v128)
  (local $19 v128)
  (local $20 v128)
  (local $21 v128)
  (local $22 v128)
  (local $23 v128)
  (local $24 v128)
  (local $25 v128)
  (local $26 v128)
  (local $27 v128)
  (local $28 v128)
  (local $29 v128)
  local.get $7
  f32x4.extract_lane 1
  f32x4.splat
  local.set $28
  local.get $7
  f32x4.extract_lane 2
  f32x4.splat
  local.set $27
  local.get $7
  f32x4.extract_lane 3
  f32x4.splat
  local.set $26
  local.get $8
  f32x4.extract_lane 0
  f32x4.splat
  local.set $25
  local.get $8
  f32x4.extract_lane 1
  f32x4.splat
  local.set $24
  local.get $8
  f32x4.extract_lane 2
  f32x4.splat
  local.set $23
  local.get $8
  f32x4.extract_lane 3
  f32x4.splat
  local.set $22
  local.get $9
  f32x4.extract_lane 0
  f32x4.splat
  local.set $21
  local.get $9
  f32x4.extract_lane 1
  f32x4.splat
  local.set $20
  local.get $9
  f32x4.extract_lane 2
  f32x4.splat
  local.tee $19
  f32x4.neg
  local.set $18
  local.get $9
  f32x4.extract_lane 3
  f32x4.splat
  local.set $17
  loop $do-loop|0
   local.get $1
   v128.load
   local.set $14
   local.get $1
   v128.load offset=16
   local.set $13
   local.get $2
   v128.load
   local.get $23
   f32x4.mul
   local.set $8
   local.get $2
   v128.load offset=16
   local.get $23
   f32x4.mul
   local.set $7
   local.get $0
   i32.const 4
   i32.and
   if
    local.get $8
    local.get $18
    f32x4.pmax
    local.get $19
    f32x4.pmin
    local.set $8
    local.get $7
    local.get $18
    f32x4.pmax
    local.get $19
    f32x4.pmin
    local.set $7
   end
   local.get $0
   i32.const 8
   i32.and
   if (result v128)
    local.get $8
    local.get $26
    local.get $14
    f32x4.mul
    f32x4.add
    local.set $8
    local.get $7
    local.get $26
    local.get $13
    f32x4.mul
    f32x4.add
   else
    local.get $7
   end
   local.set $10
   local.get $28
   local.get $8
   local.get $8
   f32x4.mul
   local.get $3
   v128.load
   local.tee $7
   f32x4.sub
   f32x4.mul
   local.get $7
   f32x4.add
   v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
   f32x4.pmin
   local.tee $16
   local.set $7
   local.get $28
   local.get $10
   local.get $10
   f32x4.mul
   local.get $3
   v128.load offset=16
   local.tee $9
   f32x4.sub
   f32x4.mul
   local.get $9
   f32x4.add
   v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
   f32x4.pmin
   local.tee $15
   local.set $29
   local.get $14
   local.set $12
   local.get $13
   local.set $11
   local.get $0
   i32.const 2
   i32.and
   if
    local.get $15
    local.get $28
    local.get $10
    local.get $5
    v128.load offset=16
    local.tee $7
    f32x4.sub
    f32x4.mul
    local.get $7
    f32x4.add
    local.tee $11
    local.get $11
    f32x4.mul
    f32x4.sub
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    f32x4.pmax
    local.set $29
    local.get $16
    local.get $28
    local.get $8
    local.get $5
    v128.load
    local.tee $7
    f32x4.sub
    f32x4.mul
    local.get $7
    f32x4.add
    local.tee $12
    local.get $12
    f32x4.mul
    f32x4.sub
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    f32x4.pmax
    local.set $7
   end
   local.get $25
   local.get $8
   f32x4.mul
   local.get $0
   i32.const 32
   i32.and
   if (result v128)
    local.get $29
    local.get $17
    f32x4.div
    local.set $29
    local.get $7
    local.get $17
    f32x4.div
   else
    local.get $7
   end
   local.get $21
   f32x4.add
   f32x4.sqrt
   local.get $20
   f32x4.add
   f32x4.div
   local.tee $8
   local.set $9
   local.get $25
   local.get $10
   f32x4.mul
   local.get $29
   local.get $21
   f32x4.add
   f32x4.sqrt
   local.get $20
   f32x4.add
   f32x4.div
   local.tee $7
   local.set $29
   local.get $0
   i32.const 1
   i32.and
   if
    local.get $8
    local.get $27
    local.get $4
    v128.load
    f32x4.mul
    f32x4.add
    local.set $9
    local.get $7
    local.get $27
    local.get $4
    v128.load offset=16
    f32x4.mul
    f32x4.add
    local.set $29
    local.get $0
    i32.const 16
    i32.and
    if (result v128)
     local.get $8
     local.get $27
     local.get $9
     f32x4.mul
     f32x4.add
     local.set $8
     local.get $7
     local.get $27
     local.get $29
     f32x4.mul
     f32x4.add
    else
     local.get $9
     local.set $8
     local.get $29
    end
    local.set $7
    local.get $24
    local.get $8
    f32x4.mul
    local.set $8
    local.get $24
    local.get $7
    f32x4.mul
    local.set $7
   end
   local.get $0
   i32.const 256
   i32.and
   if
    local.get $8
    local.get $22
    local.get $14
    f32x4.mul
    f32x4.add
    local.set $8
    local.get $7
    local.get $22
    local.get $13
    f32x4.mul
    f32x4.add
    local.set $7
   end
   local.get $1
   local.get $14
   local.get $8
   f32x4.sub
   v128.store
   local.get $1
   local.get $13
   local.get $7
   f32x4.sub
   v128.store offset=16
   local.get $3
   local.get $16
   v128.store
   local.get $3
   local.get $15
   v128.store offset=16
   local.get $0
   i32.const 2
   i32.and
   if
    local.get $5
    local.get $12
    v128.store
    local.get $5
    local.get $11
    v128.store offset=16
   end
   local.get $0
   i32.const 1
   i32.and
   if
    local.get $4
    local.get $9
    v128.store
    local.get $4
    local.get $29
    v128.store offset=16
   end
   local.get $1
   i32.const 32
   i32.add
   local.set $1
   local.get $2
   i32.const 32
   i32.add
   local.set $2
   local.get $3
   i32.const 32
   i32.add
   local.set $3
   local.get $4
   i32.const 32
   i32.add
   local.get $4
   local.get $0
   i32.const 1
   i32.and
   select
   local.set $4
   local.get $5
   i32.const 32
   i32.add
   local.get $5
   local.get $0
   i32.const 2
   i32.and
   select
   local.set $5
   local.get $6
   i32.const 8
   i32.sub
   local.tee $6
   i32.const 8
   i32.ge_u
   br_if $do-loop|0
  end
 )
 (func $"assembly/rmsprop/updateAs<assembly/lanes/Pair,f32,f32,f32,f32,f32,f32,f32>" (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (param $6 i32) (param $7 i32) (param $8 i32) (param $9 v128) (param $10 v128) (param $11 v128) (param $12 v128)
  (local $13 v128)
  (local $14 v128)
  (local $15 v128)
  (local $16 v128)
  (local $17 v128)
  (local $18 v128)
  (local $19 v128)
  (local $20 v128)
  (local $21 v128)
  (local $22 v128)
  (local $23 v128)
  (local $24 v128)
  (local $25 v128)
  (local $26 v128)
  (local $27 v128)
  (local $28 v128)
  (local $29 v128)
  (local $30 v128)
  (local $31 v128)
  (local $32 v128)
  (local $33 v128)
  (local $34 v128)
  (local $35 v128)
  (local $36 v128)
  (local $37 v128)
  (local $38 v128)
  (local $39 v128)
  local.get $9
  f32x4.extract_lane 1
  f32x4.splat
  local.set $21
  local.get $9
  f32x4.extract_lane 2
  f32x4.splat
  local.set $22
  local.get $9
  f32x4.extract_lane 3
  f32x4.splat
  local.set $23
  local.get $10
  f32x4.extract_lane 0
  f32x4.splat
  local.set $24
  local.get $10
  f32x4.extract_lane 1
  f32x4.splat
  local.set $25
  local.get $10
  f32x4.extract_lane 2
  f32x4.splat
  local.set $26
  local.get $10
  f32x4.extract_lane 3
  f32x4.splat
  local.set $27
  local.get $11
  f32x4.extract_lane 0
  f32x4.splat
  local.set $28
  local.get $11
  f32x4.extract_lane 1
  f32x4.splat
  local.set $29
  local.get $11
  f32x4.extract_lane 2
  f32x4.splat
  local.tee $30
  f32x4.neg
  local.set $31
  local.get $11
  f32x4.extract_lane 3
  f32x4.splat
  local.set $32
  local.get $12
  f32x4.extract_lane 0
  f32x4.splat
  local.set $33
  local.get $12
  f32x4.extract_lane 1
  f32x4.splat
  local.set $34
  local.get $12
  f32x4.extract_lane 2
  f32x4.splat
  local.set $35
  loop $do-loop|0
   local.get $1
   v128.load
   local.set $9
   local.get $1
   v128.load offset=16
   local.set $12
   local.get $2
   v128.load
   local.get $26
   f32x4.mul
   local.set $10
   local.get $2
   v128.load offset=16
   local.get $26
   f32x4.mul
   local.set $13
   local.get $0
   i32.const 4
   i32.and
   if
    local.get $13
    local.get $31
    f32x4.pmax
    local.get $30
    f32x4.pmin
    local.set $13
    local.get $10
    local.get $31
    f32x4.pmax
    local.get $30
    f32x4.pmin
    local.set $10
   end
   local.get $0
   i32.const 8
   i32.and
   if
    local.get $13
    local.get $23
    local.get $12
    f32x4.mul
    f32x4.add
    local.set $13
    local.get $10
    local.get $23
    local.get $9
    f32x4.mul
    f32x4.add
    local.set $10
   end
   local.get $21
   local.get $10
   local.get $10
   f32x4.mul
   local.get $3
   v128.load
   local.tee $11
   f32x4.sub
   f32x4.mul
   local.get $11
   f32x4.add
   v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
   f32x4.pmin
   local.tee $36
   local.set $11
   local.get $21
   local.get $13
   local.get $13
   f32x4.mul
   local.get $3
   v128.load offset=16
   local.tee $14
   f32x4.sub
   f32x4.mul
   local.get $14
   f32x4.add
   v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
   f32x4.pmin
   local.tee $37
   local.set $14
   local.get $9
   local.set $16
   local.get $12
   local.set $17
   local.get $0
   i32.const 2
   i32.and
   if
    local.get $14
    local.get $21
    local.get $13
    local.get $5
    v128.load offset=16
    local.tee $11
    f32x4.sub
    f32x4.mul
    local.get $11
    f32x4.add
    local.tee $17
    local.get $17
    f32x4.mul
    f32x4.sub
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    f32x4.pmax
    local.set $14
    local.get $36
    local.get $21
    local.get $10
    local.get $5
    v128.load
    local.tee $11
    f32x4.sub
    f32x4.mul
    local.get $11
    f32x4.add
    local.tee $16
    local.get $16
    f32x4.mul
    f32x4.sub
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    f32x4.pmax
    local.set $11
   end
   local.get $24
   local.get $10
   f32x4.mul
   local.get $0
   i32.const 32
   i32.and
   if (result v128)
    local.get $14
    local.get $32
    f32x4.div
    local.set $14
    local.get $11
    local.get $32
    f32x4.div
   else
    local.get $11
   end
   local.get $28
   f32x4.add
   f32x4.sqrt
   local.get $29
   f32x4.add
   f32x4.div
   local.tee $10
   local.set $11
   local.get $24
   local.get $13
   f32x4.mul
   local.get $14
   local.get $28
   f32x4.add
   f32x4.sqrt
   local.get $29
   f32x4.add
   f32x4.div
   local.tee $13
   local.set $14
   local.get $0
   i32.const 1
   i32.and
   if
    local.get $10
    local.get $22
    local.get $4
    v128.load
    f32x4.mul
    f32x4.add
    local.set $11
    local.get $13
    local.get $22
    local.get $4
    v128.load offset=16
    f32x4.mul
    f32x4.add
    local.set $14
    local.get $25
    local.get $0
    i32.const 16
    i32.and
    if (result v128)
     local.get $13
     local.get $22
     local.get $14
     f32x4.mul
     f32x4.add
     local.set $13
     local.get $10
     local.get $22
     local.get $11
     f32x4.mul
     f32x4.add
    else
     local.get $14
     local.set $13
     local.get $11
    end
    f32x4.mul
    local.set $10
    local.get $25
    local.get $13
    f32x4.mul
    local.set $13
   end
   local.get $0
   i32.const 256
   i32.and
   if
    local.get $13
    local.get $27
    local.get $12
    f32x4.mul
    f32x4.add
    local.set $13
    local.get $10
    local.get $27
    local.get $9
    f32x4.mul
    f32x4.add
    local.set $10
   end
   local.get $12
   local.set $15
   local.get $0
   i32.const 2048
   i32.and
   if (result v128)
    local.get $10
    local.get $35
    local.get $7
    v128.load
    local.tee $18
    f32x4.mul
    f32x4.sub
    local.set $10
    local.get $13
    local.get $35
    local.get $7
    v128.load offset=16
    local.tee $15
    f32x4.mul
    f32x4.sub
    local.set $13
    local.get $15
    local.get $13
    f32x4.sub
    local.set $15
    local.get $18
    local.get $10
    f32x4.sub
   else
    local.get $9
   end
   local.set $20
   local.get $12
   local.set $18
   local.get $1
   local.get $9
   local.tee $19
   local.get $0
   i32.const 1024
   i32.and
   if (result v128)
    local.get $6
    v128.load
    local.tee $38
    local.get $10
    f32x4.sub
    local.set $9
    local.get $6
    v128.load offset=16
    local.tee $39
    local.get $13
    f32x4.sub
    local.set $18
    local.get $34
    local.get $13
    f32x4.mul
    local.get $33
    local.get $39
    local.get $12
    f32x4.sub
    f32x4.mul
    f32x4.sub
    local.set $13
    local.get $34
    local.get $10
    f32x4.mul
    local.get $33
    local.get $38
    local.get $19
    f32x4.sub
    f32x4.mul
    f32x4.sub
   else
    local.get $10
   end
   f32x4.sub
   v128.store
   local.get $1
   local.get $12
   local.get $13
   f32x4.sub
   v128.store offset=16
   local.get $3
   local.get $36
   v128.store
   local.get $3
   local.get $37
   v128.store offset=16
   local.get $0
   i32.const 2
   i32.and
   if
    local.get $5
    local.get $16
    v128.store
    local.get $5
    local.get $17
    v128.store offset=16
   end
   local.get $0
   i32.const 1
   i32.and
   if
    local.get $4
    local.get $11
    v128.store
    local.get $4
    local.get $14
    v128.store offset=16
   end
   local.get $0
   i32.const 1024
   i32.and
   if
    local.get $6
    local.get $9
    v128.store
    local.get $6
    local.get $18
    v128.store offset=16
   end
   local.get $0
   i32.const 2048
   i32.and
   if
    local.get $7
    local.get $20
    v128.store
    local.get $7
    local.get $15
    v128.store offset=16
   end
   local.get $1
   i32.const 32
   i32.add
   local.set $1
   local.get $2
   i32.const 32
   i32.add
   local.set $2
   local.get $3
   i32.const 32
   i32.add
   local.set $3
   local.get $4
   i32.const 32
   i32.add
   local.get $4
   local.get $0
   i32.const 1
   i32.and
   select
   local.set $4
   local.get $5
   i32.const 32
   i32.add
   local.get $5
   local.get $0
   i32.const 2
   i32.and
   select
   local.set $5
   local.get $6
   i32.const 32
   i32.add
   local.get $6
   local.get $0
   i32.const 1024
   i32.and
   select
   local.set $6
   local.get $7
   i32.const 32
   i32.add
   local.get $7
   local.get $0
   i32.const 2048
   i32.and
   select
   local.set $7
   local.get $8
   i32.const 8
   i32.sub
   local.tee $8
   i32.const 8
   i32.ge_u
   br_if $do-loop|0
  end
 )
 (func $assembly/learned/innerProduct (param $0 i32) (param $1 i32) (param $2 i32) (param $3 f32) (param $4 f32) (result f64)
  (local $5 v128)
  (local $6 i32)
  (local $7 i32)
  (local $8 i32)
  (local $9 f64)
  (local $10 v128)
  (local $11 v128)
  (local $12 v128)
  (local $13 v128)
  (local $14 v128)
  (local $15 v128)
  (local $16 i32)
  (local $17 f64)
  (local $18 v128)
  (local $19 v128)
  (local $20 v128)
  (local $21 v128)
  (local $22 i32)
  (local $23 v128)
  local.get $4
  f32.const inf
  f32.lt
  local.set $16
  local.get $3
  f32x4.splat
  local.set $21
  local.get $4
  f32x4.splat
  local.tee $20
  f32x4.neg
  local.set $19
  loop $while-continue|0
   local.get $2
   if
    local.get $0
    local.get $2
    local.get $2
    i32.const 1
    i32.sub
    i32.const 4095
    i32.and
    i32.const 1
    i32.add
    local.tee $22
    i32.sub
    local.tee $2
    i32.const 2
    i32.shl
    local.tee $6
    i32.add
    local.set $7
    local.get $1
    local.get $6
    i32.add
    local.set $6
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    local.set $18
    loop $while-continue|1
     local.get $22
     i32.const 16
     i32.ge_u
     if
      local.get $22
      i32.const 8
      local.get $22
      i32.const 4
      i32.shr_u
      local.tee $8
      local.get $8
      i32.const 8
      i32.ge_u
      select
      local.tee $8
      i32.const 4
      i32.shl
      i32.sub
      local.set $22
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      local.set $23
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      local.set $15
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      local.set $14
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      local.set $13
      loop $do-loop|2
       local.get $7
       v128.load
       local.set $12
       local.get $7
       v128.load offset=16
       local.set $11
       local.get $7
       i32.const 32
       i32.add
       v128.load
       local.set $10
       local.get $7
       v128.load offset=48
       local.set $5
       local.get $16
       if
        local.get $11
        local.get $21
        f32x4.mul
        local.get $19
        f32x4.pmax
        local.get $20
        f32x4.pmin
        local.set $11
        local.get $10
        local.get $21
        f32x4.mul
        local.get $19
        f32x4.pmax
        local.get $20
        f32x4.pmin
        local.set $10
        local.get $12
        local.get $21
        f32x4.mul
        local.get $19
        f32x4.pmax
        local.get $20
        f32x4.pmin
        local.set $12
        local.get $5
        local.get $21
        f32x4.mul
        local.get $19
        f32x4.pmax
        local.get $20
        f32x4.pmin
        local.set $5
       end
       local.get $23
       local.get $12
       local.get $6
       v128.load
       f32x4.mul
       f32x4.add
       local.set $23
       local.get $15
       local.get $11
       local.get $6
       v128.load offset=16
       f32x4.mul
       f32x4.add
       local.set $15
       local.get $14
       local.get $10
       local.get $6
       i32.const 32
       i32.add
       v128.load
       f32x4.mul
       f32x4.add
       local.set $14
       local.get $13
       local.get $5
       local.get $6
       v128.load offset=48
       f32x4.mul
       f32x4.add
       local.set $13
       local.get $7
       i32.const -64
       i32.sub
       local.set $7
       local.get $6
       i32.const -64
       i32.sub
       local.set $6
       local.get $8
       i32.const 1
       i32.sub
       local.tee $8
       br_if $do-loop|2
      end
      local.get $18
      local.get $23
      local.get $15
      f32x4.add
      local.get $14
      local.get $13
      f32x4.add
      f32x4.add
      local.tee $5
      f64x2.promote_low_f32x4
      local.get $5
      local.get $5
      i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
      f64x2.promote_low_f32x4
      f64x2.add
      f64x2.add
      local.set $18
      br $while-continue|1
     end
    end
    local.get $18
    f64x2.extract_lane 0
    local.get $18
    f64x2.extract_lane 1
    f64.add
    local.set $17
    loop $for-loop|3
     local.get $22
     if
      local.get $17
      local.get $7
      v128.load32_zero
      local.tee $5
      local.get $21
      f32x4.mul
      local.get $19
      f32x4.pmax
      local.get $20
      f32x4.pmin
      local.get $5
      local.get $16
      select
      local.get $6
      v128.load32_zero
      f32x4.mul
      f32x4.extract_lane 0
      f64.promote_f32
      f64.add
      local.set $17
      local.get $7
      i32.const 4
      i32.add
      local.set $7
      local.get $6
      i32.const 4
      i32.add
      local.set $6
      local.get $22
      i32.const 1
      i32.sub
      local.set $22
      br $for-loop|3
     end
    end
    local.get $9
    local.get $17
    local.get $3
    f64.promote_f32
    local.get $17
    f64.mul
    local.get $16
    select
    f64.add
    local.set $9
    br $while-continue|0
   end
  end
  local.get $9
 )
)
