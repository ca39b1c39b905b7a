(module
 (type $0 (func (param i32 i32 i32 i32 i32 i32 i32 f32 f32 f32 f32 f32 f32 f32 f32)))
 (import "env" "memory" (memory $0 0))
 (export "update" (func $assembly/rmsprop/update))
 (func $assembly/rmsprop/update (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (param $6 i32) (param $7 f32) (param $8 f32) (param $9 f32) (param $10 f32) (param $11 f32) (param $12 f32) (param $13 f32) (param $14 f32)
  (local $15 v128)
  (local $16 i32)
  (local $17 i32)
  (local $18 i32)
  (local $19 i32)
  (local $20 i32)
  (local $21 i32)
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
  local.get $6
  i32.const -4
  i32.and
  i32.const 2
  i32.shl
  local.tee $16
  local.get $1
  i32.add
  local.set $19
  local.get $2
  local.get $16
  i32.add
  local.set $21
  local.get $3
  local.get $16
  i32.add
  local.set $20
  local.get $4
  local.get $16
  i32.add
  local.set $17
  local.get $5
  local.get $16
  i32.add
  local.set $18
  local.get $6
  i32.const 3
  i32.and
  local.set $16
  local.get $7
  f32x4.splat
  local.set $22
  local.get $8
  f32x4.splat
  local.set $23
  local.get $9
  f32x4.splat
  local.set $24
  local.get $10
  f32x4.splat
  local.set $25
  local.get $11
  f32x4.splat
  local.set $26
  local.get $12
  f32x4.splat
  local.set $27
  local.get $13
  f32x4.splat
  local.set $28
  local.get $14
  f32x4.splat
  local.tee $29
  v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
  f32x4.ne
  local.set $30
  loop $for-loop|0
   local.get $16
   if
    local.get $19
    v128.load32_zero
    local.set $31
    local.get $21
    v128.load32_zero
    local.set $15
    local.get $0
    i32.const 4
    i32.and
    if
     local.get $15
     local.get $28
     f32x4.mul
     local.tee $15
     local.get $29
     local.get $31
     f32x4.mul
     f32x4.add
     local.get $15
     local.get $30
     v128.bitselect
     local.set $15
    end
    local.get $20
    local.get $22
    local.get $20
    v128.load32_zero
    f32x4.mul
    local.get $23
    local.get $15
    f32x4.mul
    local.tee $32
    local.get $15
    f32x4.mul
    f32x4.add
    local.tee $33
    local.get $33
    v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
    f32x4.lt
    v128.andnot
    v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
    f32x4.pmin
    local.tee $33
    v128.store32_lane 0
    local.get $25
    local.get $15
    f32x4.mul
    local.get $0
    i32.const 2
    i32.and
    if (result v128)
     local.get $18
     local.get $22
     local.get $18
     v128.load32_zero
     f32x4.mul
     local.get $32
     f32x4.add
     local.tee $15
     local.get $15
     f32x4.abs
     v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
     f32x4.lt
     v128.andnot
     local.tee $15
     v128.store32_lane 0
     local.get $33
     local.get $15
     local.get $15
     f32x4.mul
     f32x4.sub
     v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
     f32x4.pmax
    else
     local.get $33
    end
    f32x4.sqrt
    local.get $24
    f32x4.add
    f32x4.div
    local.set $15
    local.get $19
    local.get $0
    i32.const 1
    i32.and
    if (result v128)
     local.get $17
     local.get $26
     local.get $17
     v128.load32_zero
     f32x4.mul
     local.get $15
     f32x4.add
     local.tee $15
     v128.store32_lane 0
     local.get $31
     local.get $27
     local.get $15
     f32x4.mul
     f32x4.sub
    else
     local.get $31
     local.get $15
     f32x4.sub
    end
    v128.store32_lane 0
    local.get $19
    i32.const 4
    i32.add
    local.set $19
    local.get $21
    i32.const 4
    i32.add
    local.set $21
    local.get $20
    i32.const 4
    i32.add
    local.set $20
    local.get $17
    i32.const 4
    i32.add
    local.get $17
    local.get $0
    i32.const 1
    i32.and
    select
    local.set $17
    local.get $18
    i32.const 4
    i32.add
    local.get $18
    local.get $0
    i32.const 2
    i32.and
    select
    local.set $18
    local.get $16
    i32.const 1
    i32.sub
    local.set $16
    br $for-loop|0
   end
  end
  block $break|0
   block $case7|0
    block $case6|0
     block $case5|0
      block $case4|0
       block $case3|0
        block $case2|0
         block $case1|0
          block $case0|0
           block $tablify|0
            local.get $0
            br_table $case0|0 $case1|0 $case2|0 $case3|0 $case4|0 $case5|0 $case6|0 $case7|0 $tablify|0
           end
           unreachable
          end
          local.get $7
          f32x4.splat
          local.set $15
          local.get $8
          f32x4.splat
          local.set $22
          local.get $9
          f32x4.splat
          local.set $23
          local.get $10
          f32x4.splat
          local.set $24
          loop $for-loop|00
           local.get $6
           i32.const 4
           i32.ge_u
           if
            local.get $1
            v128.load
            local.set $25
            local.get $3
            local.get $15
            local.get $3
            v128.load
            f32x4.mul
            local.get $22
            local.get $2
            v128.load
            local.tee $26
            f32x4.mul
            local.get $26
            f32x4.mul
            f32x4.add
            local.tee $27
            local.get $27
            v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
            f32x4.lt
            v128.andnot
            v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
            f32x4.pmin
            local.tee $27
            v128.store
            local.get $1
            local.get $25
            local.get $24
            local.get $26
            f32x4.mul
            local.get $27
            f32x4.sqrt
            local.get $23
            f32x4.add
            f32x4.div
            f32x4.sub
            v128.store
            local.get $1
            i32.const 16
            i32.add
            local.set $1
            local.get $2
            i32.const 16
            i32.add
            local.set $2
            local.get $3
            i32.const 16
            i32.add
            local.set $3
            local.get $6
            i32.const 4
            i32.sub
            local.set $6
            br $for-loop|00
           end
          end
          br $break|0
         end
         local.get $7
         f32x4.splat
         local.set $15
         local.get $8
         f32x4.splat
         local.set $22
         local.get $9
         f32x4.splat
         local.set $23
         local.get $10
         f32x4.splat
         local.set $24
         local.get $11
         f32x4.splat
         local.set $25
         local.get $12
         f32x4.splat
         local.set $26
         loop $for-loop|01
          local.get $6
          i32.const 4
          i32.ge_u
          if
           local.get $1
           v128.load
           local.set $27
           local.get $3
           local.get $15
           local.get $3
           v128.load
           f32x4.mul
           local.get $22
           local.get $2
           v128.load
           local.tee $28
           f32x4.mul
           local.get $28
           f32x4.mul
           f32x4.add
           local.tee $29
           local.get $29
           v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
           f32x4.lt
           v128.andnot
           v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
           f32x4.pmin
           local.tee $29
           v128.store
           local.get $4
           local.get $25
           local.get $4
           v128.load
           f32x4.mul
           local.get $24
           local.get $28
           f32x4.mul
           local.get $29
           f32x4.sqrt
           local.get $23
           f32x4.add
           f32x4.div
           f32x4.add
           local.tee $28
           v128.store
           local.get $1
           local.get $27
           local.get $26
           local.get $28
           f32x4.mul
           f32x4.sub
           v128.store
           local.get $1
           i32.const 16
           i32.add
           local.set $1
           local.get $2
           i32.const 16
           i32.add
           local.set $2
           local.get $3
           i32.const 16
           i32.add
           local.set $3
           local.get $4
           i32.const 16
           i32.add
           local.set $4
           local.get $6
           i32.const 4
           i32.sub
           local.set $6
           br $for-loop|01
          end
         end
         br $break|0
        end
        local.get $7
        f32x4.splat
        local.set $15
        local.get $8
        f32x4.splat
        local.set $22
        local.get $9
        f32x4.splat
        local.set $23
        local.get $10
        f32x4.splat
        local.set $24
        loop $for-loop|02
         local.get $6
         i32.const 4
         i32.ge_u
         if
          local.get $1
          v128.load
          local.set $25
          local.get $3
          local.get $15
          local.get $3
          v128.load
          f32x4.mul
          local.get $22
          local.get $2
          v128.load
          local.tee $26
          f32x4.mul
          local.tee $27
          local.get $26
          f32x4.mul
          f32x4.add
          local.tee $28
          local.get $28
          v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
          f32x4.lt
          v128.andnot
          v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
          f32x4.pmin
          local.tee $28
          v128.store
          local.get $5
          local.get $15
          local.get $5
          v128.load
          f32x4.mul
          local.get $27
          f32x4.add
          local.tee $27
          local.get $27
          f32x4.abs
          v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
          f32x4.lt
          v128.andnot
          local.tee $27
          v128.store
          local.get $1
          local.get $25
          local.get $24
          local.get $26
          f32x4.mul
          local.get $28
          local.get $27
          local.get $27
          f32x4.mul
          f32x4.sub
          v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
          f32x4.pmax
          f32x4.sqrt
          local.get $23
          f32x4.add
          f32x4.div
          f32x4.sub
          v128.store
          local.get $1
          i32.const 16
          i32.add
          local.set $1
          local.get $2
          i32.const 16
          i32.add
          local.set $2
          local.get $3
          i32.const 16
          i32.add
          local.set $3
          local.get $5
          i32.const 16
          i32.add
          local.set $5
          local.get $6
          i32.const 4
          i32.sub
          local.set $6
          br $for-loop|02
         end
        end
        br $break|0
       end
       local.get $7
       f32x4.splat
       local.set $15
       local.get $8
       f32x4.splat
       local.set $22
       local.get $9
       f32x4.splat
       local.set $23
       local.get $10
       f32x4.splat
       local.set $24
       local.get $11
       f32x4.splat
       local.set $25
       local.get $12
       f32x4.splat
       local.set $26
       loop $for-loop|03
        local.get $6
        i32.const 4
        i32.ge_u
        if
         local.get $1
         v128.load
         local.set $27
         local.get $3
         local.get $15
         local.get $3
         v128.load
         f32x4.mul
         local.get $22
         local.get $2
         v128.load
         local.tee $28
         f32x4.mul
         local.tee $29
         local.get $28
         f32x4.mul
         f32x4.add
         local.tee $30
         local.get $30
         v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
         f32x4.lt
         v128.andnot
         v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
         f32x4.pmin
         local.tee $30
         v128.store
         local.get $5
         local.get $15
         local.get $5
         v128.load
         f32x4.mul
         local.get $29
         f32x4.add
         local.tee $29
         local.get $29
         f32x4.abs
         v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
         f32x4.lt
         v128.andnot
         local.tee $29
         v128.store
         local.get $4
         local.get $25
         local.get $4
         v128.load
         f32x4.mul
         local.get $24
         local.get $28
         f32x4.mul
         local.get $30
         local.get $29
         local.get $29
         f32x4.mul
         f32x4.sub
         v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
         f32x4.pmax
         f32x4.sqrt
         local.get $23
         f32x4.add
         f32x4.div
         f32x4.add
         local.tee $28
         v128.store
         local.get $1
         local.get $27
         local.get $26
         local.get $28
         f32x4.mul
         f32x4.sub
         v128.store
         local.get $1
         i32.const 16
         i32.add
         local.set $1
         local.get $2
         i32.const 16
         i32.add
         local.set $2
         local.get $3
         i32.const 16
         i32.add
         local.set $3
         local.get $4
         i32.const 16
         i32.add
         local.set $4
         local.get $5
         i32.const 16
         i32.add
         local.set $5
         local.get $6
         i32.const 4
         i32.sub
         local.set $6
         br $for-loop|03
        end
       end
       br $break|0
      end
      local.get $7
      f32x4.splat
      local.set $15
      local.get $8
      f32x4.splat
      local.set $22
      local.get $9
      f32x4.splat
      local.set $23
      local.get $10
      f32x4.splat
      local.set $24
      local.get $13
      f32x4.splat
      local.set $25
      local.get $14
      f32x4.splat
      local.tee $26
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      f32x4.ne
      local.set $27
      loop $for-loop|04
       local.get $6
       i32.const 4
       i32.ge_u
       if
        local.get $3
        local.get $15
        local.get $3
        v128.load
        f32x4.mul
        local.get $22
        local.get $2
        v128.load
        local.get $25
        f32x4.mul
        local.tee $28
        local.get $26
        local.get $1
        v128.load
        local.tee $29
        f32x4.mul
        f32x4.add
        local.get $28
        local.get $27
        v128.bitselect
        local.tee $28
        f32x4.mul
        local.get $28
        f32x4.mul
        f32x4.add
        local.tee $30
        local.get $30
        v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
        f32x4.lt
        v128.andnot
        v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
        f32x4.pmin
        local.tee $30
        v128.store
        local.get $1
        local.get $29
        local.get $24
        local.get $28
        f32x4.mul
        local.get $30
        f32x4.sqrt
        local.get $23
        f32x4.add
        f32x4.div
        f32x4.sub
        v128.store
        local.get $1
        i32.const 16
        i32.add
        local.set $1
        local.get $2
        i32.const 16
        i32.add
        local.set $2
        local.get $3
        i32.const 16
        i32.add
        local.set $3
        local.get $6
        i32.const 4
        i32.sub
        local.set $6
        br $for-loop|04
       end
      end
      br $break|0
     end
     local.get $7
     f32x4.splat
     local.set $15
     local.get $8
     f32x4.splat
     local.set $22
     local.get $9
     f32x4.splat
     local.set $23
     local.get $10
     f32x4.splat
     local.set $24
     local.get $11
     f32x4.splat
     local.set $25
     local.get $12
     f32x4.splat
     local.set $26
     local.get $13
     f32x4.splat
     local.set $27
     local.get $14
     f32x4.splat
     local.tee $28
     v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
     f32x4.ne
     local.set $29
     loop $for-loop|05
      local.get $6
      i32.const 4
      i32.ge_u
      if
       local.get $3
       local.get $15
       local.get $3
       v128.load
       f32x4.mul
       local.get $22
       local.get $2
       v128.load
       local.get $27
       f32x4.mul
       local.tee $30
       local.get $28
       local.get $1
       v128.load
       local.tee $31
       f32x4.mul
       f32x4.add
       local.get $30
       local.get $29
       v128.bitselect
       local.tee $30
       f32x4.mul
       local.get $30
       f32x4.mul
       f32x4.add
       local.tee $32
       local.get $32
       v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
       f32x4.lt
       v128.andnot
       v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
       f32x4.pmin
       local.tee $32
       v128.store
       local.get $4
       local.get $25
       local.get $4
       v128.load
       f32x4.mul
       local.get $24
       local.get $30
       f32x4.mul
       local.get $32
       f32x4.sqrt
       local.get $23
       f32x4.add
       f32x4.div
       f32x4.add
       local.tee $30
       v128.store
       local.get $1
       local.get $31
       local.get $26
       local.get $30
       f32x4.mul
       f32x4.sub
       v128.store
       local.get $1
       i32.const 16
       i32.add
       local.set $1
       local.get $2
       i32.const 16
       i32.add
       local.set $2
       local.get $3
       i32.const 16
       i32.add
       local.set $3
       local.get $4
       i32.const 16
       i32.add
       local.set $4
       local.get $6
       i32.const 4
       i32.sub
       local.set $6
       br $for-loop|05
      end
     end
     br $break|0
    end
    local.get $7
    f32x4.splat
    local.set $15
    local.get $8
    f32x4.splat
    local.set $22
    local.get $9
    f32x4.splat
    local.set $23
    local.get $10
    f32x4.splat
    local.set $24
    local.get $13
    f32x4.splat
    local.set $25
    local.get $14
    f32x4.splat
    local.tee $26
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    f32x4.ne
    local.set $27
    loop $for-loop|06
     local.get $6
     i32.const 4
     i32.ge_u
     if
      local.get $3
      local.get $15
      local.get $3
      v128.load
      f32x4.mul
      local.get $22
      local.get $2
      v128.load
      local.get $25
      f32x4.mul
      local.tee $28
      local.get $26
      local.get $1
      v128.load
      local.tee $29
      f32x4.mul
      f32x4.add
      local.get $28
      local.get $27
      v128.bitselect
      local.tee $28
      f32x4.mul
      local.tee $30
      local.get $28
      f32x4.mul
      f32x4.add
      local.tee $31
      local.get $31
      v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
      f32x4.lt
      v128.andnot
      v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
      f32x4.pmin
      local.tee $31
      v128.store
      local.get $5
      local.get $15
      local.get $5
      v128.load
      f32x4.mul
      local.get $30
      f32x4.add
      local.tee $30
      local.get $30
      f32x4.abs
      v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
      f32x4.lt
      v128.andnot
      local.tee $30
      v128.store
      local.get $1
      local.get $29
      local.get $24
      local.get $28
      f32x4.mul
      local.get $31
      local.get $30
      local.get $30
      f32x4.mul
      f32x4.sub
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      f32x4.pmax
      f32x4.sqrt
      local.get $23
      f32x4.add
      f32x4.div
      f32x4.sub
      v128.store
      local.get $1
      i32.const 16
      i32.add
      local.set $1
      local.get $2
      i32.const 16
      i32.add
      local.set $2
      local.get $3
      i32.const 16
      i32.add
      local.set $3
      local.get $5
      i32.const 16
      i32.add
      local.set $5
      local.get $6
      i32.const 4
      i32.sub
      local.set $6
      br $for-loop|06
     end
    end
    br $break|0
   end
   local.get $7
   f32x4.splat
   local.set $15
   local.get $8
   f32x4.splat
   local.set $22
   local.get $9
   f32x4.splat
   local.set $23
   local.get $10
   f32x4.splat
   local.set $24
   local.get $11
   f32x4.splat
   local.set $25
   local.get $12
   f32x4.splat
   local.set $26
   local.get $13
   f32x4.splat
   local.set $27
   local.get $14
   f32x4.splat
   local.tee $28
   v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
   f32x4.ne
   local.set $29
   loop $for-loop|07
    local.get $6
    i32.const 4
    i32.ge_u
    if
     local.get $3
     local.get $15
     local.get $3
     v128.load
     f32x4.mul
     local.get $22
     local.get $2
     v128.load
     local.get $27
     f32x4.mul
     local.tee $30
     local.get $28
     local.get $1
     v128.load
     local.tee $31
     f32x4.mul
     f32x4.add
     local.get $30
     local.get $29
     v128.bitselect
     local.tee $30
     f32x4.mul
     local.tee $32
     local.get $30
     f32x4.mul
     f32x4.add
     local.tee $33
     local.get $33
     v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
     f32x4.lt
     v128.andnot
     v128.const i32x4 0x7f7fffff 0x7f7fffff 0x7f7fffff 0x7f7fffff
     f32x4.pmin
     local.tee $33
     v128.store
     local.get $5
     local.get $15
     local.get $5
     v128.load
     f32x4.mul
     local.get $32
     f32x4.add
     local.tee $32
     local.get $32
     f32x4.abs
     v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000
     f32x4.lt
     v128.andnot
     local.tee $32
     v128.store
     local.get $4
     local.get $25
     local.get $4
     v128.load
     f32x4.mul
     local.get $24
     local.get $30
     f32x4.mul
     local.get $33
     local.get $32
     local.get $32
     f32x4.mul
     f32x4.sub
     v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
     f32x4.pmax
     f32x4.sqrt
     local.get $23
     f32x4.add
     f32x4.div
     f32x4.add
     local.tee $30
     v128.store
     local.get $1
     local.get $31
     local.get $26
     local.get $30
     f32x4.mul
     f32x4.sub
     v128.store
     local.get $1
     i32.const 16
     i32.add
     local.set $1
     local.get $2
     i32.const 16
     i32.add
     local.set $2
     local.get $3
     i32.const 16
     i32.add
     local.set $3
     local.get $4
     i32.const 16
     i32.add
     local.set $4
     local.get $5
     i32.const 16
     i32.add
     local.set $5
     local.get $6
     i32.const 4
     i32.sub
     local.set $6
     br $for-loop|07
    end
   end
  end
 )
)
